// Numbers as people read them, by the same rules as the text report.
const Format = (() => {
  const three = (v) => (v < 9.995 ? v.toFixed(2) : v < 99.95 ? v.toFixed(1) : v.toFixed(0));

  const scaled = (value, unit) => {
    const prefixes = ["", "k", "M", "G", "T", "P", "E"];
    let v = Math.max(value, 0);
    if (v > 0 && v < 0.005) return `<0.01 ${unit}`;
    let place = 0;
    while (v >= 999.5 && place + 1 < prefixes.length) {
      v /= 1000;
      place += 1;
    }
    const digits = place === 0 && Number.isInteger(v) ? v.toFixed(0) : three(v);
    return `${digits} ${prefixes[place]}${unit}`;
  };

  const count = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

  const percent = (v) => {
    if (v > 0 && v < 0.05) return "<0.1 %";
    if (v >= 99.95 && v < 100) return ">99.9 %";
    return `${v.toFixed(1)} %`;
  };

  const short = (s) => {
    const [v, unit] = s >= 0.9995 ? [s, "s"] : s >= 0.0009995 ? [s * 1e3, "ms"] : [s * 1e6, "µs"];
    return `${Number.isInteger(v) ? v.toFixed(0) : three(v)} ${unit}`;
  };

  const duration = (seconds) => {
    if (seconds <= 0) return "0 s";
    if (seconds < 59.95) return short(seconds);
    const whole = Math.round(seconds);
    const [big, small, unit, sub] = whole < 3600
      ? [Math.floor(whole / 60), whole % 60, "min", "s"]
      : whole < 86400
        ? [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), "h", "min"]
        : [Math.floor(whole / 86400), Math.floor((whole % 86400) / 3600), "d", "h"];
    return small === 0 ? `${count(big)} ${unit}` : `${count(big)} ${unit} ${small} ${sub}`;
  };

  // Always UTC, always 24 hours.
  const iso = (ms) => new Date(ms).toISOString();
  const day = (ms) => iso(ms).slice(0, 10);
  const clock = (ms, digits = 3) => iso(ms).slice(11, digits ? 20 + digits : 19);
  const moment = (ms) => `${day(ms)} ${clock(ms)}`;
  const between = (from, to, digits = 3) => (day(from) === day(to)
    ? `${day(from)} ${clock(from, digits)} to ${clock(to, digits)} UTC`
    : `${day(from)} ${clock(from, digits)} to ${day(to)} ${clock(to, digits)} UTC`);

  return {
    bytes: (n) => scaled(n, "B"),
    bits: (rate) => scaled(rate, "bit/s"),
    packetRate: (rate) => scaled(rate, "pkt/s"),
    packets: (n) => `${count(n)} packet${n === 1 ? "" : "s"}`,
    count, percent, duration, iso, day, clock, moment, between,
  };
})();

