// A page that is fed: how the connection is, a pause, and a window that moves with time.
const Live = (() => {
  const states = { connecting: "connecting", live: "live", lost: "connection lost, trying again", ended: "the run has ended" };
  let state = "connecting";
  let paused = false;
  // A drag goes on over chart or sliders: what is under it must not change.
  let held = false;
  // Drawing takes a fifth of the browser's time at the most, however short the interval is.
  let resting = false;
  // The newest text that is not shown.
  let waiting = null;
  let onData = () => {};

  const tell = () => {
    const feed = Dom.id("feed");
    feed.hidden = false;
    feed.dataset.state = paused ? "paused" : state;
    feed.textContent = paused ? (state === "live" ? "paused" : `paused; ${states[state]}`) : states[state];
    Dom.id("pause").textContent = paused ? "Go on" : "Pause";
  };

  const show = () => {
    if (waiting === null || paused || held || resting || document.hidden) return;
    const text = waiting;
    waiting = null;
    const began = performance.now();
    onData(text);
    resting = true;
    setTimeout(() => {
      resting = false;
      show();
    }, 4 * (performance.now() - began));
  };

  const feed = {
    start: () => {
      for (const name of ["pause", "follow-label"]) Dom.id(name).hidden = false;
      Dom.id("pause").addEventListener("click", () => {
        paused = !paused;
        tell();
        show();
      });
      addEventListener("pointerdown", (event) => { held = event.target.closest("#chart, #span") !== null; });
      for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, () => {
        held = false;
        setTimeout(show); // after what the release itself does
      });
      document.addEventListener("visibilitychange", show);
      tell();
    },
    data: (text) => {
      waiting = text;
      show();
    },
    state: (now) => {
      state = now;
      tell();
    },
  };

  // The span that is followed, in the newest data: null is the whole run, undefined the one that was chosen by hand.
  const span = (model) => {
    const wanted = Dom.id("follow").value;
    if (wanted === "whole") return null;
    if (wanted === "chosen" || model.line.slices === 0) return undefined;
    const end = model.times(null)[1];
    return model.slices(end - Number(wanted) * 1000, end);
  };

  // Somebody chose another span.
  const chosen = (wanted) => {
    Dom.id("follow").value = wanted === null ? "whole" : "chosen";
  };

  const start = (show, onFollow) => {
    onData = show;
    Dom.id("follow").addEventListener("change", onFollow);
    return feed;
  };

  return { start, span, chosen };
})();

