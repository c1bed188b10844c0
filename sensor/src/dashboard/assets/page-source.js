// Where the data comes from: from this file, or from the server that handed the page out. Nothing else knows which.
const Source = (() => {
  const inFile = () => JSON.parse(Dom.id("data").textContent);

  const live = (url, onData, onState) => {
    const events = new EventSource(url);
    events.addEventListener("report", (event) => onData(JSON.parse(event.data)));
    events.addEventListener("open", () => onState("live"));
    events.addEventListener("error", () => onState("connection lost, trying again"));
  };

  // Calls onData once, or each time that there is more to show.
  const open = (onData, onState) => {
    const found = inFile();
    if (found.events) {
      onState("connecting");
      live(found.events, onData, onState);
    } else {
      onData(found);
    }
  };

  return { open };
})();

