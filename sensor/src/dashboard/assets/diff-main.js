// The differences of two reports: who is new, who is gone, who grew.
const Words = {
  new: "new", gone: "gone", grew: "grew", shrank: "shrank",
  new_or_grew: "not in A's list", gone_or_shrank: "not in B's list", unknown: "unclear", same: "same",
};

class DiffTable extends Table {
  tell() {
    const { verdicts, total, rows } = this.list;
    const parts = Object.entries(Words).filter(([name]) => verdicts[name] > 0).map(([name, text]) => `${Format.count(verdicts[name])} ${text}`);
    const listed = rows.length < total ? `; the ${Format.count(rows.length)} largest changes are listed` : "";
    const known = `${parts.join(", ") || "nothing to compare"}${listed}`;
    this.told.textContent = this.words.length > 0 ? `${Format.count(this.rows.length)} match; ${known}` : known;
  }

  foot() {
    Dom.replace(this.footer);
  }
}

const DiffPage = (() => {
  const { el, id, replace } = Dom;
  const { bytes, bits, count } = Format;

  const inRates = (data) => data.measure === "bits_per_sec";
  const measured = (data, amount) => (inRates(data) ? amount.bits_per_sec : amount.bytes);
  const format = (data, value) => (inRates(data) ? bits(value) : bytes(value));
  const amount = (data, one) => {
    const most = inRates(data) ? one.bits_per_sec_at_most : one.bytes_at_most;
    if (one.bytes === 0) return one.bytes_at_most === null ? "–" : `≤ ${format(data, most)}`;
    return `${one.bytes_at_most === null ? "" : "≥ "}${format(data, measured(data, one))}`;
  };
  const signed = (data, row) => (row.verdict === "unknown" || row.verdict === "same" ? "" : `${row.change < 0 ? "−" : "+"}${format(data, Math.abs(row.change))}`);
  const times = (factor) => (factor === null ? "" : `×${factor < 9.995 ? factor.toFixed(2) : factor < 99.95 ? factor.toFixed(1) : count(Math.round(factor))}`);

  const bar = (largest) => (row) => {
    const width = { width: `${largest > 0 ? (Math.abs(row.change) / largest) * 100 : 0}%` };
    return el("span", { class: "delta", "aria-hidden": "true" }, el("span", { class: row.change < 0 ? "less" : "more", style: width }));
  };

  const numeric = (title, name, value, text, width, hint) => ({ title, hint, width, numeric: true, value, text, csv: [[name, value]] });

  const columns = (data, list, first) => {
    const largest = Math.max(0, ...list.rows.map((row) => Math.abs(row.change)));
    const unit = inRates(data) ? "bits_per_sec" : "bytes";
    const share = { title: "Less · more", hint: "The change, beside the largest of the list", width: 12, value: (row) => row.change, numeric: true, left: true, text: (row) => signed(data, row), cell: bar(largest), csv: [] };
    const verdict = { title: "Verdict", hint: "What is certain", width: 9, value: (row) => Words[row.verdict], text: (row) => Words[row.verdict], cell: (row) => el("span", { class: `verdict ${row.verdict}` }, Words[row.verdict]), csv: [["verdict", (row) => row.verdict]] };
    const side = (key) => numeric(key.toUpperCase(), `${key}_${unit}`, (row) => measured(data, row[key]), (row) => amount(data, row[key]), 8, inRates(data) ? "Mean rate" : "Bytes");
    const total = (key) => numeric(`${key.toUpperCase()} bytes`, `${key}_bytes`, (row) => row[key].bytes, (row) => bytes(row[key].bytes), 7);
    const packets = (key) => numeric(`${key.toUpperCase()} packets`, `${key}_packets`, (row) => row[key].packets, (row) => count(row[key].packets), 8);
    return [
      first, side("a"), side("b"), numeric("Change", `change_${unit}`, (row) => row.change, (row) => signed(data, row), 8, "From A to B; where a list leaves something out, the part that is certain"),
      share, verdict, numeric("Times", "factor", (row) => row.factor, (row) => times(row.factor), 5.5, "B divided by A"),
      ...(inRates(data) ? [total("a"), total("b")] : []), packets("a"), packets("b"),
    ];
  };

  const text = (title, name, of, width) => ({ title, width, value: of, text: of, csv: [[name, of]] });
  const named = (addr, names) => (names.length > 0 ? `${addr}  ${names.map((one) => `${one.name} (${one.source})`).join(", ")}` : addr);
  const hosted = (addr, names) => [el("span", { class: "address" }, addr), names.length > 0 && el("span", { class: "name" }, names[0].name, " ", el("span", { class: "tag" }, names[0].source))];
  const host = (title, addr, names) => ({
    title, width: 17, value: (row) => row[addr], text: (row) => named(row[addr], row[names]), cell: (row) => hosted(row[addr], row[names]),
    csv: [[addr, (row) => row[addr]], [`${addr}_name`, (row) => row[names][0]?.name]],
  });

  const kinds = (data) => {
    const layer = (name, title) => ({ id: name, title, one: "protocol", unit: "protocols", list: data.protocols[name], first: [text("Protocol", "name", (row) => row.name, 11)] });
    const portName = (row) => `${row.transport}/${row.port}${row.service === null ? "" : ` (${row.service})`}`;
    return [
      layer("application", "Applications"), layer("transport", "Transport protocols"), layer("network", "Network protocols"),
      { id: "endpoints", title: "Endpoints", one: "endpoint", unit: "endpoints", list: data.endpoints, first: [host("Endpoint", "addr", "names")] },
      { id: "conversations", title: "Conversations", one: "conversation", unit: "conversations", list: data.conversations, first: [host("a", "a_addr", "a_names"), host("b", "b_addr", "b_names")] },
      { id: "ports", title: "Server ports", one: "port", unit: "ports", list: data.ports, first: [text("Port", "port", portName, 11)] },
    ];
  };

  const table = (data, { id: name, title, one, unit, list, first }) => {
    const all = columns(data, list, first[0]);
    all.splice(1, 0, ...first.slice(1));
    const haystack = (row) => first.map((column) => column.text(row)).concat(Words[row.verdict]).join(" ").toLowerCase();
    const made = new DiffTable({ id: name, title, one, unit, columns: all, haystack, empty: "Nothing differs." });
    made.set(list, {}, null);
    return made;
  };

  const side = (name, one) => {
    const from = [...one.interfaces, ...one.files];
    const when = one.start === null ? "no packet has a time" : `${Format.between(Date.parse(one.start), Date.parse(one.end), 0)}, ${Format.duration(one.duration_seconds)}`;
    return el("div", {}, el("h3", {}, name), el("p", {}, `${one.hostname} (${one.backend}): ${from.slice(0, 8).join(", ")}${from.length > 8 ? ` and ${count(from.length - 8)} more` : ""}`),
      el("p", { class: "faint" }, when), one.filter !== null && el("p", { class: "faint" }, `filter: ${one.filter}`));
  };

  const card = (name, value, more) => el("div", { class: "card" }, el("dt", {}, name), el("dd", {}, value, el("span", { class: "more" }, more)));

  const cards = (data) => {
    const { totals, endpoints, conversations, ports } = data;
    const rest = ({ grew, shrank, new_or_grew: more, gone_or_shrank: less, unknown }) => [[grew, "grew"], [shrank, "shrank"], [more, "new or grew"], [less, "gone or shrank"], [unknown, "unclear"]]
      .filter(([number]) => number > 0).map(([number, name]) => `${count(number)} ${name}`).join(", ");
    const changed = (title, list) => card(title, `${count(list.verdicts.new)} new, ${count(list.verdicts.gone)} gone`, rest(list.verdicts) || "all others are the same");
    replace(id("cards"),
      card(inRates(data) ? "Mean rate" : "Bytes", signed(data, totals) || "the same", `${amount(data, totals.a)} to ${amount(data, totals.b)} ${times(totals.factor)}`),
      card("Bytes", `${bytes(totals.a.bytes)} to ${bytes(totals.b.bytes)}`, `${count(totals.a.packets)} to ${count(totals.b.packets)} packets`),
      changed("Endpoints", endpoints), changed("Conversations", conversations), changed("Server ports", ports));
  };

  const about = (data) => {
    const items = (list) => list.length > 0 && el("ul", {}, list.map((one) => el("li", {}, one)));
    replace(id("about"), el("div", { class: "bar" }, el("h2", { id: "about-title" }, "About these numbers")), items([
      inRates(data) ? "Rates are compared: bytes over the time that each report has, so A and B may be of different length." : "Bytes are compared.",
      "“Same” differs by less than half a percent and is not listed. A change beside ≤ or ≥ is the part of it that is certain.",
      ...data.notes,
    ]), el("p", { class: "small faint" }, "Names of hosts are what traffic told, with the source beside each: a claim, no proof. This file needs no network and sends nothing."));
  };

  const start = () => {
    try {
      const data = JSON.parse(id("data").textContent);
      replace(id("sides-list"), side("A, before", data.a), side("B, after", data.b));
      cards(data);
      const tables = kinds(data).map((kind) => table(data, kind));
      about(data);
      Theme.start(() => {});
      addEventListener("beforeprint", () => tables.forEach((one) => one.print(true)));
      addEventListener("afterprint", () => tables.forEach((one) => one.print(false)));
      document.documentElement.dataset.ready = Math.round(performance.now());
    } catch (error) {
      id("failure").hidden = false;
      id("failure").textContent = `This page can't show its numbers: ${error.message}`;
      throw error;
    }
  };

  return { start };
})();

DiffPage.start();
