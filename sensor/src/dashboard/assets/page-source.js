// Where the data comes from: from this file, or from the server that handed the page out. Nothing else knows which.
const Source = (() => {
  const inFile = () => JSON.parse(Dom.id("data").textContent);

  // What the page says of itself.
  const words = {
    file: { here: "in this file", more: "--html-rows lists more", sends: "This file needs no network and sends nothing." },
    live: { here: "on this page", more: "--listen-rows lists more", sends: "This page asks nobody but the sensor that serves it." },
  };
  let said = words.file;

  // `onData` gets texts: who does not look at one need not read it.
  const live = (url, onData, onState) => {
    const events = new EventSource(url);
    events.addEventListener("report", (event) => onData(event.data));
    events.addEventListener("open", () => onState("live"));
    events.addEventListener("end", () => {
      events.close();
      onState("ended");
    });
    events.addEventListener("error", () => {
      onState("lost");
      // The browser tries again by itself, unless it was refused.
      if (events.readyState === EventSource.CLOSED) setTimeout(() => live(url, onData, onState), 5000);
    });
  };

  // Calls onData once, or hands over to `live`, which gets each text that comes and each change of the connection.
  const open = (onData, feed) => {
    const found = inFile();
    if (found.events) {
      said = words.live;
      feed.start();
      live(found.events, feed.data, feed.state);
    } else {
      onData(found);
    }
  };

  return { open, words: () => said };
})();

