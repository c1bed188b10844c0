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
    const empty = model.data.buckets.rows.length === 0;
    Dom.id("bandwidth").classList.toggle("timeless", empty);
    if (empty) {
      this.place.append(Dom.el("p", { class: "faint" }, model.report.totals.packets === 0 ? "No packets." : "No packet has a time."));
      return;
    }
    const series = this.series();
    const isBits = this.unit.value === "bits";
    const rates = series.rates(isBits ? (row) => row.bytes * 8 : (row) => row.packets);
    this.gaps = unseen(model);
    const { xs, lists } = withGaps(fromEndToEnd(rates, model.times(null)), this.gaps, series.grain);
    [this.xs, this.values, this.drawn] = [xs, lists, series];
    this.format = isBits ? Format.bits : Format.packetRate;
    this.plot = new uPlot(this.options(), [xs, ...lists], this.place);
    if (left >= 0) this.plot.setCursor({ left, top }); // somebody was reading values
    const [from, to] = model.times(this.span);
    const what = isBits ? "Bandwidth" : "Packets per second";
    this.place.setAttribute("aria-label", `${what}, ${Format.between(from, to)}, by ${this.by.value}: ${series.list.map((one) => one.name).join("; ")}`);
    Dom.id("chart-told").textContent = "";
    Dom.id("chart-gaps").hidden = this.gaps.length === 0;
  }

  series() {
    const layer = { application: 3, transport: 2 }[this.by.value];
    return layer ? stacked(this.model, layer) : directions(this.model, this.span, this.width() - 118);
  }

  width() {
    return this.printing ? this.paper : Math.max(this.place.clientWidth, 200);
  }

  options() {
    const [from, to] = this.model.times(this.span);
    const { list, stack } = this.drawn;
    const room = (value) => (value ?? 0) * 1.08;
    const tick = (value) => (value === 0 ? "0" : this.format(Math.abs(value)).replace(/(\.\d*?)0+ /, "$1 ").replace(". ", " "));
    return {
      width: this.width(),
      height: 260,
      padding: [10, 36, 0, 0],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 7 }, bind: { dblclick: () => () => { this.onSpan(null); return null; } } },
      scales: { x: { time: true, range: [from / 1000, to / 1000] }, y: { range: (_, least, most) => [Math.min(room(least), 0), most > 0 ? room(most) : least < 0 ? 0 : 1] } },
      legend: { live: true },
      axes: [this.timeAxis(), axis({ size: 82, values: (_, ticks) => ticks.map(tick) })],
      series: [{ label: "Time (UTC)", value: (_, x) => (x === null ? "–" : Format.moment(x * 1000)) }, ...list.map((one, at) => ({
        label: one.name,
        stroke: one.colour,
        width: one.width,
        fill: one.fill,
        fillTo: () => 0,
        points: { show: false },
        paths: uPlot.paths.stepped({ align: 1 }),
        value: (_, __, ___, place) => this.told(at, place),
      }))],
      hooks: { setSelect: [(plot) => this.selected(plot)], drawClear: [(plot) => this.shade(plot)], draw: stack ? [] : [(plot) => this.zero(plot)] },
    };
  }

  // Of a stack the lines are sums; what is told is each one's own.
  told(at, place) {
    const value = place === null ? null : this.values[at][place];
    if (value === null || value === undefined) return "–";
    const below = this.drawn.stack ? this.values[at + 1]?.[place] ?? 0 : 0;
    return this.format(Math.abs(value - below));
  }

  timeAxis() {
    const [from, to] = this.model.times(this.span);
    const days = (to - from) > 2 * 86400000;
    const oneYear = Format.day(from).slice(0, 4) === Format.day(to).slice(0, 4);
    const text = (seconds, step) => {
      const ms = seconds * 1000;
      const [day, days_] = [Format.day(ms), step / 86400];
      if (days_ >= 360) return day.slice(0, -6);
      if (days_ >= 27) return day.slice(0, -3);
      if (days_ >= 1) return oneYear ? day.slice(-5) : day;
      if (days) return `${day.slice(-5)} ${Format.clock(ms, 0).slice(0, 5)}`;
      return step >= 60 ? Format.clock(ms, 0).slice(0, 5) : step >= 1 ? Format.clock(ms, 0) : Format.clock(ms);
    };
    return axis({ size: 34, space: 90, values: (_, ticks, __, ___, step) => ticks.map((tick) => text(tick, step)) });
  }

  // Grey where nobody looked.
  shade(plot) {
    const { left, top, width, height } = plot.bbox;
    plot.ctx.fillStyle = Dom.colour("--gap");
    for (const [start, end] of this.gaps) {
      const [from, to] = [start, end].map((ms) => Math.min(Math.max(plot.valToPos(ms / 1000, "x", true), left), left + width));
      plot.ctx.fillRect(from, top, to - from, height);
    }
  }

  // Where up and down part.
  zero(plot) {
    if (plot.scales.y.min >= 0) return;
    const { left, width } = plot.bbox;
    const y = Math.round(plot.valToPos(0, "y", true));
    plot.ctx.fillStyle = Dom.colour("--faint");
    plot.ctx.fillRect(left, y, width, Math.max(Math.round(devicePixelRatio), 1));
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
    const values = this.drawn.list.map(({ name }, at) => `${name} ${this.told(at, next[1])}`);
    Dom.id("chart-told").textContent = `${Format.moment(next[0] * 1000)}: ${values.join("; ")}`;
  }

  resize() {
    const width = this.place.clientWidth;
    if (this.printing || !this.plot || width === 0 || Math.abs(width - this.plot.width) <= 1) return;
    this.plot.setSize({ width, height: 260 });
  }
}

const axis = (more) => ({
  stroke: Dom.colour("--faint"),
  grid: { stroke: Dom.colour("--grid"), width: 1 },
  ticks: { stroke: Dom.colour("--grid"), width: 1, size: 5 },
  font: "12px system-ui, sans-serif",
  ...more,
});

