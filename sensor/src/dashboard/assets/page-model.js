// The report, and what it says of a span of time. A span is [a, b): numbers of slices; null is the whole time.
class Model {
  constructor(data) {
    this.data = data;
    this.report = data.report;
    this.line = data.timeline;
    this.text = (place) => data.strings[place];
    this.addressOf = new Array(data.addresses.length);
    this.longest = data.addresses.reduce((most, [place]) => Math.max(most, data.strings[place].length), 0);
    this.flowSums = { packets: new Float64Array(data.flows.length), bytes: new Float64Array(data.flows.length) };
  }

  // { text, geo, names: [{ name, source }] }
  address(place) {
    const known = this.addressOf[place];
    if (known) return known;
    const [text, geo, ...names] = this.data.addresses[place];
    const made = { text: this.text(text), geo: this.text(geo), names: this.names(names) };
    this.addressOf[place] = made;
    return made;
  }

  names(places) {
    const names = [];
    for (let at = 0; at + 1 < places.length; at += 2) {
      names.push({ name: this.text(places[at]), source: this.text(places[at + 1]) });
    }
    return names;
  }

  // Milliseconds since the epoch, of both ends of a span.
  times(span) {
    const [a, b] = span ?? [0, this.line.slices];
    return [this.line.start + a * this.line.width, this.line.start + b * this.line.width];
  }

  // Slices that times lie in, at least one.
  slices(from, to) {
    const place = (time) => (time - this.line.start) / this.line.width;
    const a = Math.min(Math.max(Math.floor(place(from) + 1e-6), 0), this.line.slices - 1);
    const b = Math.min(Math.max(Math.ceil(place(to) - 1e-6), a + 1), this.line.slices);
    return a === 0 && b === this.line.slices ? null : [a, b];
  }

  view(span) {
    return span === null ? this.whole() : this.part(span);
  }

  whole() {
    const { report, data } = this;
    const { packets, bytes } = report.totals;
    data.flows.forEach((row, i) => {
      this.flowSums.packets[i] = row[7];
      this.flowSums.bytes[i] = row[8];
    });
    return {
      span: null,
      packets,
      bytes,
      rates: report.bandwidth,
      peak: report.bandwidth.peak_bits_per_sec,
      peakAt: report.bandwidth.peak_start === null ? null : Date.parse(report.bandwidth.peak_start),
      protocols: report.protocols,
      endpoints: {
        rows: data.endpoints.map(([at, ...counts]) => ({ at, counts })),
        total: report.endpoints_total,
        others: report.others.endpoints,
      },
      conversations: {
        rows: data.conversations.map(([a, b, ...rest]) => ({ a, b, counts: rest.slice(0, 4), start: rest[4], end: rest[5] })),
        total: report.conversations_total,
        others: report.others.conversations,
      },
      flows: { rows: data.flows.map((_, i) => i), total: report.flows_total, others: report.others.flows },
    };
  }

  part(span) {
    const seconds = ((span[1] - span[0]) * this.line.width) / 1000;
    const sums = this.kindSums(span);
    const total = add(sums.values());
    const ip = add([...sums].filter(([kind]) => this.line.kinds[kind][4] === 1).map(([, counts]) => counts));
    const peak = this.peak(span);
    return {
      span,
      ...total,
      rates: { mean_bits_per_sec: (total.bytes * 8) / seconds, mean_packets_per_sec: total.packets / seconds },
      peak: peak.bits,
      peakAt: peak.at,
      protocols: this.protocols(span, sums, total),
      ...this.lists(span, ip),
    };
  }

  kindSums([a, b]) {
    const sums = new Map();
    for (let slice = a; slice < b; slice += 1) {
      const row = this.line.by_kind[slice];
      for (let at = 0; at < row.length; at += 3) into(sums, row[at], row[at + 1], row[at + 2]);
    }
    return sums;
  }

  peak(span) {
    const [from, to] = this.times(span);
    const { start, width, rows } = this.data.buckets;
    let best = { bits: null, at: null };
    for (const [number, , bytes] of rows) {
      const at = start + number * width;
      const bits = (bytes * 8000) / width;
      if (at >= from && at < to && (best.bits === null || bits > best.bits)) best = { bits, at };
    }
    return best;
  }

  protocols(span, sums, total) {
    const told = this.told(span);
    const layer = (place, isApplication) => {
      const byName = new Map();
      for (const [kind, { packets, bytes }] of sums) {
        into(byName, this.text(this.line.kinds[kind][place]), packets, bytes);
      }
      const rows = [...byName].map(([name, counts]) => ({
        name,
        ...counts,
        packets_percent: share(counts.packets, total.packets),
        bytes_percent: share(counts.bytes, total.bytes),
        classified_by: (isApplication && told.get(name)) || {},
      }));
      return rows.sort((x, y) => y.bytes - x.bytes || y.packets - x.packets || (x.name < y.name ? -1 : 1));
    };
    return { network: layer(1, false), transport: layer(2, false), application: layer(3, true) };
  }

  told([a, b]) {
    const byName = new Map();
    for (let slice = a; slice < b; slice += 1) {
      const row = this.line.told[slice] ?? [];
      for (let at = 0; at < row.length; at += 4) {
        const name = this.text(row[at]);
        const how = this.text(row[at + 1]);
        if (!byName.has(name)) byName.set(name, {});
        const sum = (byName.get(name)[how] ??= { packets: 0, bytes: 0 });
        sum.packets += row[at + 2];
        sum.bytes += row[at + 3];
      }
    }
    return byName;
  }

  // From the listed flows; what they leave out of all IP packets is `others`, twice that among endpoints.
  lists(span, ip) {
    const rows = this.flowsIn(span);
    const endpoints = new Map();
    const pairs = new Map();
    const listed = { packets: 0, bytes: 0 };
    const endpoint = (at) => {
      if (!endpoints.has(at)) endpoints.set(at, { at, counts: [0, 0, 0, 0] });
      return endpoints.get(at).counts;
    };
    for (const i of rows) {
      const [src, , dst] = this.data.flows[i];
      const packets = this.flowSums.packets[i];
      const bytes = this.flowSums.bytes[i];
      listed.packets += packets;
      listed.bytes += bytes;
      const sent = endpoint(src);
      sent[0] += packets;
      sent[1] += bytes;
      const received = endpoint(dst);
      received[2] += packets;
      received[3] += bytes;
      this.addToPair(pairs, i, packets, bytes);
    }
    const left = (times) => ({ packets: times * (ip.packets - listed.packets), bytes: times * (ip.bytes - listed.bytes) });
    const all = this.report.flows_total === this.data.flows.length;
    const list = (some, others) => ({ rows: some, total: all ? some.length : null, others });
    return {
      endpoints: list([...endpoints.values()].sort((x, y) => volume(y) - volume(x)), left(2)),
      conversations: list([...pairs.values()].sort((x, y) => volume(y) - volume(x)), left(1)),
      flows: list(rows, left(1)),
    };
  }

  // Which side is called `a` is the report's choice where it lists the pair.
  addToPair(pairs, i, packets, bytes) {
    const row = this.data.flows[i];
    const [src, , dst] = row;
    const key = src <= dst ? `${src} ${dst}` : `${dst} ${src}`;
    let pair = pairs.get(key);
    if (!pair) {
      const [a, b] = this.pairOrder(key) ?? [Math.min(src, dst), Math.max(src, dst)];
      pair = { a, b, counts: [0, 0, 0, 0], start: null, end: null };
      pairs.set(key, pair);
    }
    const way = src === pair.a ? 0 : 2;
    pair.counts[way] += packets;
    pair.counts[way + 1] += bytes;
    if (row[9] !== null && (pair.start === null || row[9] < pair.start)) pair.start = row[9];
    if (row[10] !== null && (pair.end === null || row[10] > pair.end)) pair.end = row[10];
  }

  pairOrder(key) {
    this.orders ??= new Map(this.data.conversations.map(([a, b]) => [a <= b ? `${a} ${b}` : `${b} ${a}`, [a, b]]));
    return this.orders.get(key);
  }

  // Flows with packets in the span, the largest first, with their sums there.
  flowsIn([a, b]) {
    const { packets, bytes } = this.flowSums;
    const rows = [];
    this.data.parts.forEach((parts, i) => {
      packets[i] = 0;
      bytes[i] = 0;
      if (parts.length === 1 && parts[0] >= a && parts[0] < b) {
        packets[i] = this.data.flows[i][7];
        bytes[i] = this.data.flows[i][8];
      }
      for (let at = 0; at + 2 < parts.length; at += 3) {
        if (parts[at] >= a && parts[at] < b) {
          packets[i] += parts[at + 1];
          bytes[i] += parts[at + 2];
        }
      }
      if (packets[i] > 0) rows.push(i);
    });
    return rows.sort((x, y) => bytes[y] - bytes[x] || packets[y] - packets[x] || x - y);
  }
}

const volume = ({ counts }) => counts[1] + counts[3];
const share = (part, all) => (all > 0 ? (part / all) * 100 : 0);

const into = (sums, key, packets, bytes) => {
  const sum = sums.get(key);
  if (sum) {
    sum.packets += packets;
    sum.bytes += bytes;
  } else {
    sums.set(key, { packets, bytes });
  }
};

const add = (list) => {
  const sum = { packets: 0, bytes: 0 };
  for (const { packets, bytes } of list) {
    sum.packets += packets;
    sum.bytes += bytes;
  }
  return sum;
};

