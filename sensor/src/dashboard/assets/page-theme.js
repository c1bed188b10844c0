// Light, dark, or what the system says; remembered where the browser lets a file remember.
const Theme = (() => {
  const choices = ["auto", "light", "dark"];
  let choice = "auto";
  const stored = () => {
    try {
      return localStorage.getItem("sensor-theme");
    } catch {
      return null; // not every browser lets a file remember
    }
  };
  // Paper is white, whatever the screen is.
  const print = (on) => {
    document.documentElement.dataset.theme = on ? "light" : choice;
  };
  const apply = (wanted, onChange) => {
    choice = choices.includes(wanted) ? wanted : "auto";
    document.documentElement.dataset.theme = choice;
    Dom.id("theme").textContent = `Theme: ${choice}`;
    onChange();
  };
  const start = (onChange) => {
    apply(stored(), () => {});
    Dom.id("theme").addEventListener("click", () => {
      apply(choices[(choices.indexOf(choice) + 1) % choices.length], onChange);
      try {
        localStorage.setItem("sensor-theme", choice);
      } catch {
        // the choice holds until the page is closed
      }
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  };
  return { start, print };
})();

