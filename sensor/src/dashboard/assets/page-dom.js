// Elements are made here and nowhere else: text goes in as text, never as markup.
const Dom = (() => {
  const id = (name) => document.getElementById(name);

  const fill = (node, children) => {
    for (const child of children.flat(3)) {
      if (child === null || child === undefined || child === false) continue;
      node.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return node;
  };

  // Attributes by name; `on` is an object of listeners, `style` one of CSS properties.
  const el = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "on") {
        for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
      } else if (name === "style") {
        for (const [property, text] of Object.entries(value)) node.style.setProperty(property, text);
      } else {
        node.setAttribute(name, value === true ? "" : value);
      }
    }
    return fill(node, children);
  };

  const replace = (node, ...children) => {
    node.textContent = "";
    return fill(node, children);
  };

  let fading = 0;
  const toast = (text) => {
    const node = id("toast");
    node.textContent = text;
    node.classList.add("shown");
    clearTimeout(fading);
    fading = setTimeout(() => node.classList.remove("shown"), 3000);
  };

  // The clipboard proper may be forbidden; then a text field does.
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const area = el("textarea", { "aria-hidden": "true", class: "offscreen" });
      area.value = text;
      const focused = document.activeElement;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      focused?.focus();
      return done;
    }
  };

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  return { id, el, replace, toast, copy, colour };
})();

