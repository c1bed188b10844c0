// For each text in sight: its colour on its ground, the contrast by WCAG 2, and where it stands.
(() => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const linear = (channel) => (channel <= 0.03928 * 255 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color.length === 3) return color;
    }
    return [255, 255, 255];
  };
  const isShown = (node) => node.getClientRects().length > 0 && !node.closest(":disabled, script, .toast");
  const hasText = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== "");
  return [...document.body.querySelectorAll("*")].filter((node) => isShown(node) && hasText(node)).map((node) => {
    const [a, b] = [channels(getComputedStyle(node).color), ground(node)].map(luminance);
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.textContent.slice(0, 40)];
  });
})()
