// Puts the parts together: one state, drawn again when it changes.
const App = (() => {
  let model = null;
  let span = null;
  let tables = null;
  let chart = null;
  let control = null;

  const look = (wanted) => {
    span = wanted;
    Live.chosen(wanted);
    draw();
  };

  // Another window that moves with time was chosen.
  const follow = () => {
    const followed = model ? Live.span(model) : undefined;
    if (followed === undefined) return;
    span = followed;
    draw();
  };

  const draw = () => {
    const view = model.view(span);
    chart.show(model, span);
    control.show(model, span);
    tell(view);
    Summary.cards(model, view);
    Summary.protocols(model, view, (name) => {
      tables.flows.find(name);
      Dom.id("flows").scrollIntoView();
      tables.flows.search.focus();
    });
    const ip = inFlows(view);
    for (const [name, times] of [["endpoints", 2], ["conversations", 1], ["flows", 1]]) {
      const most = name === "endpoints" ? view.endpoints.rows.reduce((sum, row) => Math.max(sum, volume(row)), 0) : 0;
      for (const column of tables[name].columns) column.most = most;
      tables[name].set(view[name], { packets: ip.packets * times, bytes: ip.bytes * times }, span);
    }
  };

  // What columns add up to: IP packets, with those whose flow found no room.
  const inFlows = (view) => {
    const listed = tables.flows.total(view.flows.rows);
    return { packets: listed.packets + view.flows.others.packets, bytes: listed.bytes + view.flows.others.bytes };
  };

  const tell = (view) => {
    const [from, to] = model.times(span);
    const text = model.line.slices === 0 ? "" : span === null ? "The whole time." : `Span: ${Format.between(from, to)}, ${Format.duration((to - from) / 1000)}; ${Format.packets(view.packets)}, ${Format.bytes(view.bytes)}.`;
    const missing = span !== null && !model.line.flows ? " When the packets of each flow came is not known here: the lists stay empty." : "";
    Dom.replace(Dom.id("span-told"), text + missing);
  };

  const load = (data) => {
    const [from, to] = model && span ? model.times(span) : [null, null];
    const kept = tables;
    const restore = keepPlace();
    model = new Model(data);
    span = from === null || model.line.slices === 0 ? null : model.slices(from, to);
    const followed = Live.span(model);
    if (followed !== undefined) span = followed;
    tables = {};
    for (const make of [Lists.endpoints, Lists.conversations, Lists.flows]) {
      const made = make(model);
      const table = new Table(made);
      table.counts = made.counts;
      table.allName = made.allName;
      tables[made.id] = table;
      if (kept) table.resume(kept[made.id]);
    }
    Dom.id("chart-help").hidden = Boolean(model.line.chart);
    Summary.title(model);
    Summary.accounting(model);
    Summary.about(model);
    draw();
    restore();
    document.documentElement.dataset.ready = Math.round(performance.now());
  };

  // New data must not take away what somebody is at: gives what puts focus, caret and scrolling back.
  const keepPlace = () => {
    const { id, selectionStart, selectionEnd } = document.activeElement;
    const scrolled = Object.entries(tables ?? {}).map(([name, table]) => [name, table.pane.scrollTop, table.pane.scrollLeft]);
    return () => {
      for (const [name, top, left] of scrolled) tables[name].pane.scrollTo(left, top);
      const again = id && Dom.id(id);
      if (!again || again === document.activeElement) return;
      again.focus({ preventScroll: true });
      if (again.type === "search") again.setSelectionRange(selectionStart, selectionEnd);
    };
  };

  const print = (on) => {
    if (!model) return;
    Theme.print(on);
    const lists = Object.values(tables);
    for (const part of [chart, ...lists]) part.printing = on;
    // As wide as A4 and Letter both are within their margins, or as the lists make it in their 9 pixels.
    chart.paper = Math.max(680, ...lists.map((table) => table.least * 9));
    draw();
  };

  const fail = (error) => {
    const node = Dom.id("failure");
    node.hidden = false;
    node.textContent = `This page can't show its report: ${error.message}`;
    throw error;
  };

  const guarded = (action) => (value) => {
    try {
      action(value);
    } catch (error) {
      fail(error);
    }
  };

  const start = () => {
    chart = new Chart(Dom.id("chart"), look);
    control = new SpanControl(Dom.id("span"), look);
    Theme.start(() => model && draw());
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
    Source.open(guarded(load), Live.start(guarded((text) => load(JSON.parse(text))), guarded(follow)));
  };

  return { start: guarded(start) };
})();

App.start();
