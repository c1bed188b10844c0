// The lines of the chart over time, as lists of points for steps: `xs` in seconds, and for each line its values.

// Nobody tells more columns apart.
const leastPixels = 1.5;

// The report's own buckets: `[number, packets, bytes, ingress ..., egress ...]`. Where both ways are known, ingress is up
// and egress down. Where more buckets are in the span than columns have room, columns show their mean and their busiest.
const directions = (model, span, pixels) => {
  const { width, start, rows } = model.data.buckets;
  const pick = {
    ingress: (row) => ({ packets: row[3], bytes: row[4] }),
    egress: (row) => ({ packets: row[5], bytes: row[6] }),
    "unknown direction": (row) => ({ packets: row[1] - row[3] - row[5], bytes: row[2] - row[4] - row[6] }),
  };
  const { totals } = model.report;
  const present = { ingress: totals.ingress, egress: totals.egress, "unknown direction": totals.unknown_direction };
  const names = Object.keys(pick).filter((name) => present[name].packets > 0);
  const apart = names.length === 2 && names[1] === "egress";
  const ways = names.map((name) => ({
    of: pick[name],
    sign: apart && name === "egress" ? -1 : 1,
    name: names.length === 1 && name.startsWith("unknown") ? "all packets" : apart ? `${name}, ${name === "egress" ? "down" : "up"}` : name,
    colour: Dom.colour({ ingress: "--ingress", egress: "--egress" }[name] ?? "--line"),
  }));
  const [from, to] = model.times(span);
  const step = columnStep(to - from, width, pixels / leastPixels);
  if (step === width) {
    const list = ways.map(({ name, colour }) => ({ name, colour, fill: `${colour}2e`, width: 1.5 }));
    const rates = (perSecond) => {
      const value = (row, way) => (way.sign * perSecond(way.of(row)) * 1000) / width;
      return filled(rows.map((row) => row[0]), start, width, ways.map((way) => (at) => value(rows[at], way)));
    };
    return { list, rates, grain: width };
  }
  const list = ways.flatMap(({ name, colour }) => [
    { name: `${name}: busiest ${Format.duration(width / 1000)}`, colour, fill: `${colour}59`, width: 0 },
    { name: `mean of ${Format.duration(step / 1000)}`, colour, fill: colour, width: 0 },
  ]);
  return { list, rates: (perSecond) => columns(model, step, ways, perSecond), grain: width };
};

// A round time of whole buckets that cuts `length` into at most `most` parts.
const columnStep = (length, width, most) => {
  if (length / width <= most) return width;
  const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];
  const round = [
    ...[1, 2, 5, 10, 20, 50, 100, 200, 500], ...[1, 2, 5, 10, 15, 30].map((n) => n * second), ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
    ...[1, 2, 3, 6, 12].map((n) => n * hour), ...[1, 2, 7, 14, 28].map((n) => n * day),
  ];
  const whole = (step) => Math.abs(step / width - Math.round(step / width)) < 1e-6;
  return round.find((step) => length / step <= most && whole(step)) ?? Math.ceil(length / width / most) * width;
};

// Of each way the highest bucket, and the mean over what of the column is within the report.
const columns = (model, step, ways, perSecond) => {
  const { width, start, rows } = model.data.buckets;
  const [first, last] = model.times(null);
  const made = [];
  for (const row of rows) {
    const number = Math.floor((start + row[0] * width) / step + 1e-9);
    if (made[made.length - 1]?.number !== number) made.push({ number, sums: ways.map(() => 0), most: ways.map(() => 0) });
    const column = made[made.length - 1];
    ways.forEach((way, at) => {
      const value = perSecond(way.of(row));
      column.sums[at] += value;
      column.most[at] = Math.max(column.most[at], value);
    });
  }
  const seen = ({ number }) => {
    const [from, to] = [Math.max(number * step, first), Math.min((number + 1) * step, last)];
    const missed = unseen(model).reduce((sum, [a, b]) => sum + Math.max(Math.min(b, to) - Math.max(a, from), 0), 0);
    return Math.max(to - from - missed, width);
  };
  const values = ways.flatMap((way, at) => [
    (place) => (way.sign * made[place].most[at] * 1000) / width,
    (place) => (way.sign * made[place].sums[at] * 1000) / seen(made[place]),
  ]);
  return filled(made.map(({ number }) => number), 0, step, values);
};

// Slices, the smallest protocol at the bottom of the list of lines and so drawn last: each covers from zero to its sum.
const stacked = (model, layer) => {
  const line = model.line.chart ?? model.line;
  const nameOf = (kind) => model.text(line.kinds[kind][layer]);
  const { shown, colours } = Palette.ofLayer(model, layer);
  const names = [...shown].reverse();
  const list = names.map((name) => ({ name, colour: colours.get(name), fill: colours.get(name), width: 1 }));
  const rates = (perSecond) => {
    const numbers = line.by_kind.map((_, slice) => slice).filter((slice) => line.by_kind[slice].length > 0);
    const values = numbers.map((slice) => {
      const byName = new Map();
      const row = line.by_kind[slice];
      for (let at = 0; at < row.length; at += 3) {
        const name = nameOf(row[at]);
        if (name === "") continue; // of another layer
        into(byName, shown.includes(name) ? name : Palette.rest, row[at + 1], row[at + 2]);
      }
      let sum = 0;
      return [...names].reverse().map((name) => {
        sum += (perSecond(byName.get(name) ?? { packets: 0, bytes: 0 }) * 1000) / line.width;
        return sum;
      }).reverse();
    });
    return filled(numbers, line.start, line.width, names.map((_, place) => (at) => values[at][place]));
  };
  return { list, rates, stack: true, grain: line.width };
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

// Spans in which nobody looked, in milliseconds: not the same as nothing.
const unseen = (model) => model.report.not_observed.map(({ start, end }) => [Date.parse(start), Date.parse(end)]);

// Takes the zeros out where nobody looked: the lines are interrupted there. What was counted at the edges stays.
const withGaps = ({ xs, lists }, spans, grain) => {
  let made = { xs, lists };
  for (const [start, end] of spans) {
    const [from, to] = [(Math.ceil(start / grain) * grain) / 1000, (Math.floor(end / grain) * grain) / 1000];
    if (to > from) made = interrupted(made, from, to);
  }
  return made;
};

const interrupted = ({ xs, lists }, from, to) => {
  const out = { xs: [], lists: lists.map(() => []) };
  const add = (x, value) => {
    out.xs.push(x);
    lists.forEach((list, place) => out.lists[place].push(value(list)));
  };
  let begun = false;
  let ended = false;
  xs.forEach((x, at) => {
    if (!begun && x > from) add(from, () => null);
    begun ||= x >= from;
    // Where a column began before, it goes on.
    if (begun && !ended && x > to) add(to, (list) => list[Math.max(at - 1, 0)]);
    ended ||= x >= to;
    const isZero = lists.every((list) => !list[at]);
    add(x, (list) => (begun && !ended && isZero ? null : list[at]));
  });
  return out;
};

