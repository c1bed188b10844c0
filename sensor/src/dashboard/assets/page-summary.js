// Everything but lists and chart: headline figures, protocols, the accounting, and what the numbers are worth.
const Palette = (() => {
  const colours = ["#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255", "#aa4499"];
  const common = ["https", "quic", "http", "tcp", "udp", "dns", "ssh", "icmp", "smb"];
  const favourite = (name) => {
    const at = common.indexOf(name);
    if (at >= 0) return at;
    let hash = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    return hash % colours.length;
  };
  // The darkest of them can't be seen on a dark ground.
  const lighter = { "#332288": "#8f80ea", "#117733": "#3fae68", "#882255": "#c9699b", "#aa4499": "#cf74c0" };
  const shown = (colour) => (Dom.colour("color-scheme") === "dark" ? lighter[colour] ?? colour : colour);
  const rest = "all others";
  const grey = "#bbbfc4";
  // The charts' colours: a protocol has the same one everywhere, unless a larger one has taken it.
  const of = (names) => {
    const taken = new Set();
    return new Map(names.map((name) => {
      if (name === "other" || name === rest) return [name, grey];
      const wanted = favourite(name);
      const free = colours.map((_, step) => (wanted + step) % colours.length).find((at) => !taken.has(at)) ?? wanted;
      taken.add(free);
      return [name, shown(colours[free])];
    }));
  };
  // The protocols of a layer that the chart tells apart, by the whole time's bytes: so no span changes their colours.
  const ofLayer = (model, layer) => {
    const most = 8;
    const name = ["network", "transport", "application"][layer - 1];
    const largest = model.report.protocols[name].map((row) => row.name);
    const first = largest.length > most + 1 ? [...largest.slice(0, most), rest] : largest;
    const chosen = of(first);
    return { shown: first, colours: chosen, colour: (one) => chosen.get(one) ?? grey };
  };
  return { ofLayer, rest };
})();

const Summary = (() => {
  const { bytes, bits, count, percent, packetRate } = Format;
  const { el, id, replace } = Dom;

  const title = (model) => {
    const { sensor, source, filter } = model.report;
    const from = source.files.length > 0 ? source.files.map((file) => file.path).join(", ") : source.interfaces.map((one) => one.name).join(", ");
    replace(id("title"), from || "sensor");
    const parts = [`sensor ${sensor.version} on ${sensor.hostname}`, `backend ${source.backend}`];
    if (filter !== null) parts.push(`filter: ${filter}`);
    if (model.report.start !== null) parts.push(`${Format.between(Date.parse(model.report.start), Date.parse(model.report.end))}, ${Format.duration(model.report.duration_seconds)}`);
    replace(id("subtitle"), parts.join(" · "));
    document.title = `${from || "sensor"} – sensor report`;
  };

  const card = (name, value, more, kind) => el("div", { class: `card ${kind ?? ""}` }, el("dt", {}, name), el("dd", {}, value, more && el("span", { class: "more" }, more)));

  const cards = (model, view) => {
    const { report } = model;
    const { rates } = view;
    const rate = (value, format) => (value === null || value === undefined ? "–" : format(value));
    const holds = report.accounting.identity_holds;
    const lost = Object.values(report.accounting.lost).reduce((sum, one) => sum + one, 0);
    const listed = (list) => (list.total === null ? `≥ ${count(list.rows.length)}` : count(list.total));
    const interval = Format.duration(report.interval_seconds);
    replace(id("cards"),
      card("Bytes", bytes(view.bytes), `${count(view.bytes)} on the wire`),
      card("Packets", count(view.packets), rate(rates.mean_packets_per_sec, packetRate)),
      card("Mean rate", rate(rates.mean_bits_per_sec, bits), view.span ? "of the span" : "from first to last"),
      card("Peak rate", rate(view.peak, bits), view.peakAt === null ? `in ${interval}` : `${interval} at ${Format.clock(view.peakAt)}`),
      card("Flows", listed(view.flows), `${listed(view.conversations)} conversation${view.conversations.total === 1 ? "" : "s"}`),
      card("Endpoints", listed(view.endpoints), "addresses"),
      card("Accounting", holds ? "holds ✓" : "VIOLATED", lost > 0 ? `${count(lost)} lost` : "no packet missing", holds && lost === 0 ? "good" : "bad"));
  };

  const byPort = (row) => row.classified_by?.port?.bytes ?? 0;

  const protocolRow = (row, colour, onPick) => {
    const guessed = Math.min(byPort(row), row.bytes);
    const all = guessed > 0 && guessed === row.bytes;
    const told = Object.entries(row.classified_by ?? {}).map(([how, counts]) => `${how}: ${bytes(counts.bytes)}`).join(", ");
    const name = [row.name, all && el("span", { class: "guess", title: "only the port says so" }, " ?")];
    const width = (part) => ({ width: `${row.bytes > 0 ? (part / row.bytes) * row.bytes_percent : 0}%`, "background-color": colour });
    return el("tr", { title: told ? `told by ${told}` : null },
      el("th", { scope: "row" }, el("span", { class: "swatch", style: { "background-color": colour }, "aria-hidden": "true" }), onPick ? el("button", { type: "button", class: "link", title: "Show its flows", on: { click: () => onPick(row.name) } }, name) : name),
      el("td", { class: "number" }, bytes(row.bytes)),
      el("td", { class: "number" }, percent(row.bytes_percent)),
      el("td", { class: "number" }, count(row.packets)),
      el("td", { class: "track", "aria-hidden": "true" }, el("span", { class: "meter" },
        el("span", { class: "known", style: width(row.bytes - guessed) }), el("span", { class: "guessed", style: width(guessed) }))));
  };

  const layer = (model, place, rows, onPick) => {
    const name = ["network", "transport", "application"][place - 1];
    const palette = Palette.ofLayer(model, place);
    const heads = ["Protocol", "Bytes", "Share", "Packets"].map((text, at) => el("th", { scope: "col", class: at > 0 && "number" }, text));
    return el("div", { class: `layer ${name}` }, el("table", {}, el("caption", {}, name[0].toUpperCase() + name.slice(1)),
      el("thead", {}, el("tr", {}, heads, el("td", { class: "track" }))),
      el("tbody", {}, rows.length > 0 ? rows.map((row) => protocolRow(row, palette.colour(row.name), onPick)) : el("tr", {}, el("td", { class: "faint", colspan: 5 }, "No packets.")))));
  };

  const protocols = (model, view, onPick) => {
    const { network, transport, application } = view.protocols;
    replace(id("layers"), el("div", { class: "stack" }, layer(model, 1, network), layer(model, 2, transport)), layer(model, 3, application, onPick));
    const guessed = application.some((row) => byPort(row) > 0);
    const unknown = view.span !== null && !model.line.flows;
    replace(id("protocols-legend"), unknown ? "For a span of time it is not known here what told the applications." : guessed ? "? and hatched: only the port says so, a habit and no proof. Solid: payload, handshake or another flow says so." : "");
  };

  const accounting = (model) => {
    const { accounting: told, totals } = model.report;
    const malformed = Object.values(told.malformed).reduce((sum, one) => ({ packets: sum.packets + one.packets, bytes: sum.bytes + one.bytes }), { packets: 0, bytes: 0 });
    const line = (name, counts, strong) => el("tr", { class: strong && "strong" }, el("th", { scope: "row" }, name), el("td", { class: "number" }, count(counts.packets)), el("td", { class: "number" }, count(counts.bytes)));
    const details = Object.entries(told.malformed).map(([reason, counts]) => line(`· ${reason.replaceAll("_", " ")}`, counts));
    const lost = Object.entries(told.lost).filter(([, packets]) => packets > 0).map(([place, packets]) => `${count(packets)} lost at ${place}`);
    const verdict = told.identity_holds ? "Every packet that was seen is in exactly one of these rows; packets and bytes were added up and agree." : "The rows do not add up: this is a bug of sensor, please report it.";
    const counters = told.interface_counters.map((one) => el("li", {}, `${one.interface} ${one.direction}: its own counter says ${count(one.packets)} packets, counted ${count(one.counted_packets)}: ${one.verdict}`));
    replace(id("accounting"),
      el("div", { class: "bar" }, el("h2", { id: "accounting-title" }, `Accounting ${told.identity_holds ? "holds" : "VIOLATED"}`)),
      el("p", { class: told.identity_holds ? "" : "alarm" }, verdict, " ", lost.length > 0 ? el("strong", {}, `${lost.join(", ")}.`) : model.report.source.files.length === 0 ? "Nothing was lost, says the kernel." : ""),
      el("table", { class: "sums" }, el("caption", { class: "hidden" }, "Where every packet is, of the whole time"),
        el("thead", {}, el("tr", {}, ["", "Packets", "Bytes"].map((text, at) => el("th", { scope: "col", class: at > 0 && "number" }, text)))),
        el("tbody", {}, line("in flows", told.in_flows), line("overflow (flow table full)", told.overflow), line("not IP", told.not_ip), line("malformed", malformed), details, line("left out by the filter", told.filtered), told.duplicates?.packets > 0 && line("duplicates", told.duplicates), line("seen", told.seen, true))),
      counters.length > 0 && el("ul", { class: "small" }, counters),
      el("p", { class: "small faint" }, `Of the seen ${count(totals.packets)} packets, ${count(totals.bytes)} bytes are in this report.`));
  };

  const about = (model) => {
    const { report, line, data } = model;
    const files = report.source.files.map((file) => `File ${file.path}: ${file.format}, ${file.link_types.join(", ")}, ${Format.packets(file.packets)}${file.complete ? "" : `; incomplete: ${file.error ?? ""}`}`);
    const hooks = report.source.interfaces.map((one) => `Interface ${one.name}: ingress ${one.ingress.hook ?? "not counted"}${one.ingress.mode ? ` (${one.ingress.mode})` : ""}, egress ${one.egress.hook ?? "not counted"}`);
    const items = (list) => list.length > 0 && el("ul", {}, list.map((text) => el("li", {}, text)));
    replace(id("about"), el("div", { class: "bar" }, el("h2", { id: "about-title" }, "About these numbers")),
      items([...files, ...hooks]), report.notes.length > 0 && [el("h3", {}, "Notes"), items(report.notes)], el("h3", {}, "What is exact"), items(exactness(report, line, data)),
      el("p", { class: "small faint" }, "Names of hosts are what traffic told, with the source beside each: a claim, no proof. Charts by uPlot 1.6.32 (MIT, licence in this file). ", Source.words().sends));
  };

  const exactness = (report, line, data) => {
    const left = report.flows_total - data.flows.length;
    const slice = Format.duration((line.chart ?? line).width / 1000);
    const alone = Boolean(line.chart);
    const { here, more } = Source.words();
    return [
      "Whole time: every number is the report's, exact; the lists hold the largest, and “not listed” is the exact rest.",
      !alone && `A span of time begins and ends at multiples of ${slice}. Its packets, bytes, rates and protocols are exact, of all packets with a time.`,
      line.flows
        ? `Flows of a span: what each listed flow had in it, exact. ${left > 0 ? `${count(left)} smaller flows are not ${here}, so endpoints and conversations of a span are sums of those that are, at least that much; “not listed” is the exact rest (${more}).` : `All flows are ${here}, so endpoints and conversations of a span are exact, too.`}`
        : alone
          ? "This page was made of a report alone, so it is of the whole time; one made of a capture, a run or history can be looked at span by span."
        : "When the packets of each flow came was not kept here: for a span the lists show nothing, and the rest of the page is exact.",
      line.slices > 0 && "The chart by direction has the report's own intervals, of " + Format.duration(report.interval_seconds) + "; by protocol it has the slices of " + slice + ".",
      !alone && "First packet and duration are of the whole flow, whatever the span.",
    ].filter(Boolean);
  };

  return { title, cards, protocols, accounting, about };
})();

