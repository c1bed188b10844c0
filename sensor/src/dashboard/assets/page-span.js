// Which span of time is looked at: two sliders and some buttons, for those who don't drag.
class SpanControl {
  // `onChange` gets the span that is wanted.
  constructor(place, onChange) {
    this.place = place;
    this.onChange = onChange;
    this.slices = 0;
    this.span = null;
    const slider = (title) => Dom.el("input", { type: "range", min: 0, step: 1, "aria-label": title });
    this.from = slider("Begin of the span");
    this.to = slider("End of the span");
    for (const input of [this.from, this.to]) input.addEventListener("input", () => this.slide(input));
    const button = (id, text, title, action) => Dom.el("button", { type: "button", id, title, on: { click: action } }, text);
    this.buttons = {
      back: button("span-back", "◀ Earlier", "The same length, earlier", () => this.shift(-1)),
      on: button("span-on", "Later ▶", "The same length, later", () => this.shift(1)),
      in: button("span-in", "+ Zoom in", "The middle half", () => this.zoom(0.5)),
      out: button("span-out", "− Zoom out", "Twice as long", () => this.zoom(2)),
      whole: button("span-whole", "Whole time", "All that the report covers", () => this.onChange(null)),
    };
    Dom.replace(place, Dom.el("div", { class: "sliders" }, this.from, this.to), Dom.el("div", { class: "buttons" }, Object.values(this.buttons)));
  }

  show(model, span) {
    this.slices = model.line.slices;
    this.span = span;
    const [a, b] = this.ends();
    for (const [input, value, time] of [[this.from, a, 0], [this.to, b, 1]]) {
      input.max = Math.max(this.slices, 1);
      input.value = value;
      input.setAttribute("aria-valuetext", this.slices > 0 ? Format.moment(model.times([a, b])[time]) : "no time");
    }
    const whole = span === null;
    this.place.hidden = this.slices < 2;
    this.buttons.whole.disabled = whole;
    this.buttons.out.disabled = whole;
    this.buttons.back.disabled = a === 0;
    this.buttons.on.disabled = b === this.slices;
    this.buttons.in.disabled = b - a < 2;
  }

  ends() {
    return this.span ?? [0, this.slices];
  }

  slide(moved) {
    let a = Number(this.from.value);
    let b = Number(this.to.value);
    if (a >= b && moved === this.from) a = Math.max(b - 1, 0);
    if (a >= b) b = a + 1;
    this.change(a, b);
  }

  shift(way) {
    const [a, b] = this.ends();
    const room = way < 0 ? -a : this.slices - b;
    const step = way < 0 ? Math.max(room, a - b) : Math.min(room, b - a);
    this.change(a + step, b + step);
  }

  zoom(factor) {
    const [a, b] = this.ends();
    const length = Math.min(Math.max(Math.round((b - a) * factor), 1), this.slices);
    const begin = Math.round((a + b - length) / 2);
    const from = Math.min(Math.max(begin, 0), this.slices - length);
    this.change(from, from + length);
  }

  change(a, b) {
    this.onChange(a === 0 && b === this.slices ? null : [a, b]);
  }
}

