// Bandwidth over time, by uPlot. A drag chooses a span; the whole page then follows.
class Chart {
  constructor(place, onSpan) {
    this.place = place;
    this.onSpan = onSpan;
    this.plot = null;
    this.unit = Dom.id("chart-unit");
    this.by = Dom.id("chart-by");
    for (const select of [this.unit, this.by]) select.addEventListener("change", () => this.draw());
    place.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.resize()).observe(place);
  }

  show(model, span) {
    this.model = model;
    this.span = span;
    this.draw();
  }

  draw() {
    const { left, top } = this.plot?.cursor ?? { left: -1 };
    this.plot?.destroy();
    this.plot = null;
    this.place.textContent = "";
    const { model } = this;
    if (!model) return;
    if (model.data.buckets.rows.length === 0) {
      this.place.append(Dom.el("p", { class: "faint" }, "No packet has a time."));
      return;
    }
    const series = this.by.value === "direction" ? directions(model) : stacked(model, this.by.value === "application" ? 3 : 2);
    const perSecond = this.unit.value === "bits" ? (row) => row.bytes * 8 : (row) => row.packets;
    const { xs, lists } = fromEndToEnd(series.rates(perSecond), model.times(null));
    this.xs = xs;
    this.values = lists;
    const format = this.unit.value === "bits" ? Format.bits : Format.packetRate;
    const [from, to] = model.times(this.span);
    const options = {
      width: Math.max(this.place.clientWidth, 200),
      height: 260,
      padding: [10, 36, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 7 }, bind: { dblclick: () => () => { this.onSpan(null); return null; } } },
      scales: { x: { time: true, range: [from / 1000, to / 1000] }, y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
      legend: { live: true },
      axes: [this.timeAxis(), axis({ size: 82, values: (_, ticks) => ticks.map((tick) => (tick === 0 ? "0" : format(tick))) })],
      series: [{ label: "Time (UTC)", value: (_, x) => (x === null ? "–" : Format.moment(x * 1000)) }, ...series.list.map((one, at) => ({
        label: one.name,
        stroke: one.colour,
        width: series.stack ? 1 : 1.5,
        fill: series.stack ? one.colour : faded(one.colour),
        points: { show: false },
        paths: uPlot.paths.stepped({ align: 1 }),
        value: (_, __, ___, place) => (place === null ? "–" : format(this.own(series, at, place))),
      }))],
      hooks: { setSelect: [(plot) => this.selected(plot)] },
    };
    this.plot = new uPlot(options, [xs, ...lists], this.place);
    if (left >= 0) this.plot.setCursor({ left, top }); // somebody was reading values
    this.place.setAttribute("aria-label", `Bandwidth from ${Format.between(from, to)}, by ${this.by.value}: ${series.list.map((one) => one.name).join(", ")}`);
  }

  // Of a stack the lines are sums; what is told is each one's own.
  own(series, at, place) {
    const below = series.stack ? this.values[at + 1]?.[place] ?? 0 : 0;
    return (this.values[at][place] ?? 0) - below;
  }

  timeAxis() {
    const [from, to] = this.model.times(this.span);
    const days = (to - from) > 2 * 86400000;
    const text = (seconds, step) => {
      const ms = seconds * 1000;
      if (days) return step >= 86400 ? Format.day(ms).slice(5) : `${Format.day(ms).slice(5)} ${Format.clock(ms, 0).slice(0, 5)}`;
      return step >= 60 ? Format.clock(ms, 0).slice(0, 5) : step >= 1 ? Format.clock(ms, 0) : Format.clock(ms);
    };
    return axis({ size: 34, space: 90, values: (_, ticks, __, ___, step) => ticks.map((tick) => text(tick, step)) });
  }

  selected(plot) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const from = plot.posToVal(left, "x") * 1000;
    const to = plot.posToVal(left + width, "x") * 1000;
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.onSpan(this.model.slices(from, to));
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!this.plot || step === undefined) return;
    event.preventDefault();
    const [from, to] = this.model.times(this.span).map((ms) => ms / 1000);
    const inside = this.xs.map((x, at) => [x, at]).filter(([x]) => x >= from && x < to);
    if (inside.length === 0) return;
    const here = inside.findIndex(([, at]) => at === this.plot.cursor.idx);
    const next = inside[Math.min(Math.max((here < 0 ? 0 : here) + step, 0), inside.length - 1)];
    this.plot.setCursor({ left: this.plot.valToPos(next[0], "x"), top: 20 });
  }

  resize() {
    const width = this.place.clientWidth;
    if (this.plot && width > 0 && Math.abs(width - this.plot.width) > 1) this.plot.setSize({ width, height: 260 });
  }
}

const axis = (more) => ({
  stroke: Dom.colour("--faint"),
  grid: { stroke: Dom.colour("--grid"), width: 1 },
  ticks: { stroke: Dom.colour("--grid"), width: 1, size: 5 },
  font: "12px system-ui, sans-serif",
  ...more,
});

const faded = (colour) => `${colour}2e`;

// The report's own buckets: `[number, packets, bytes, ingress ..., egress ...]`.
const directions = (model) => {
  const { rows, start, width } = model.data.buckets;
  const pick = {
    ingress: (row) => ({ packets: row[3], bytes: row[4] }),
    egress: (row) => ({ packets: row[5], bytes: row[6] }),
    "unknown direction": (row) => ({ packets: row[1] - row[3] - row[5], bytes: row[2] - row[4] - row[6] }),
  };
  const colours = { ingress: "--received", egress: "--sent", "unknown direction": "--line" };
  const totals = model.report.totals;
  const present = { ingress: totals.ingress, egress: totals.egress, "unknown direction": totals.unknown_direction };
  const names = Object.keys(pick).filter((name) => present[name].packets > 0);
  const list = names.map((name) => ({ name: names.length === 1 && name.startsWith("unknown") ? "all packets" : name, colour: Dom.colour(colours[name]) }));
  const rates = (perSecond) => {
    const value = (row, name) => (perSecond(pick[name](row)) * 1000) / width;
    return filled(rows.map((row) => row[0]), start, width, names.map((name) => (at) => value(rows[at], name)));
  };
  return { list, rates, stack: false };
};

// Slices, the smallest protocol at the bottom of the list of lines and so drawn last: each covers from zero to its sum.
const stacked = (model, layer) => {
  const { line } = model;
  const nameOf = (kind) => model.text(line.kinds[kind][layer]);
  const sums = new Map();
  for (const row of line.by_kind) for (let at = 0; at < row.length; at += 3) into(sums, nameOf(row[at]), row[at + 1], row[at + 2]);
  const largest = [...sums].sort((x, y) => y[1].bytes - x[1].bytes).map(([name]) => name);
  const most = 8;
  const shown = largest.length > most + 1 ? [...largest.slice(0, most), "all others"] : largest;
  const palette = Palette.of(shown);
  const names = [...shown].reverse();
  const list = names.map((name) => ({ name, colour: palette.get(name) }));
  const rates = (perSecond) => {
    const numbers = line.by_kind.map((_, slice) => slice).filter((slice) => line.by_kind[slice].length > 0);
    const values = numbers.map((slice) => {
      const byName = new Map();
      const row = line.by_kind[slice];
      for (let at = 0; at < row.length; at += 3) {
        const name = nameOf(row[at]);
        into(byName, shown.includes(name) ? name : "all others", row[at + 1], row[at + 2]);
      }
      let sum = 0;
      return [...names].reverse().map((name) => {
        sum += (perSecond(byName.get(name) ?? { packets: 0, bytes: 0 }) * 1000) / line.width;
        return sum;
      }).reverse();
    });
    return filled(numbers, line.start, line.width, names.map((_, place) => (at) => values[at][place]));
  };
  return { list, rates, stack: true };
};

// Nothing before the first and after the last packet, as far as somebody looked.
const fromEndToEnd = ({ xs, lists }, [from, to]) => {
  if (xs[0] > from / 1000) {
    xs.unshift(from / 1000);
    lists.forEach((list) => list.unshift(0));
  }
  if (xs[xs.length - 1] < to / 1000) {
    xs.push(to / 1000);
    lists.forEach((list) => list.push(0));
  }
  return { xs, lists };
};

// Steps with zeros where there was nothing, and an end: uPlot draws from point to point.
const filled = (numbers, start, width, series) => {
  const xs = [];
  const lists = series.map(() => []);
  const point = (number, at) => {
    xs.push((start + number * width) / 1000);
    series.forEach((value, place) => lists[place].push(at === null ? 0 : value(at)));
  };
  numbers.forEach((number, at) => {
    point(number, at);
    const next = numbers[at + 1];
    if (next !== number + 1) point(number + 1, null);
  });
  return { xs, lists };
};

