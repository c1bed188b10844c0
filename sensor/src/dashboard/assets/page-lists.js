// The columns of the three lists.
const Lists = (() => {
  const { bytes, count, duration } = Format;

  const nameOf = ({ names }) => (names.length > 0 ? names[0] : null);
  const told = (names) => names.map(({ name, source }) => `${name} (${source})`).join(", ");
  const withName = (address) => (address.names.length > 0 ? `${address.text}  ${told(address.names)}` : address.text);

  // A name never stands without saying where it is from.
  const named = (names) => {
    const [first] = names;
    if (!first) return "";
    return [first.name, " ", Dom.el("span", { class: "tag" }, first.source)];
  };
  const hostCell = (address, port) => [
    Dom.el("span", { class: "address" }, port === undefined ? address.text : joined(address.text, port)),
    address.names.length > 0 && Dom.el("span", { class: "name" }, named(address.names)),
  ];
  const joined = (text, port) => (port === 0 ? text : text.includes(":") ? `[${text}]:${port}` : `${text}:${port}`);

  const counted = (title, value, format, hint, sum) => ({
    title, hint, sum, numeric: true, value, width: title.length > 12 ? 11 : title.length > 9 ? 9 : title.length > 7 ? 7.5 : 6.5,
    text: (row) => format(value(row)), csv: [[title.toLowerCase().replaceAll(" ", "_"), value]],
  });
  const sumBytes = (counts) => bytes(counts.bytes);
  const sumPackets = (counts) => count(counts.packets);

  const csvOfHost = (name, address) => [
    [name, (row) => address(row).text],
    [`${name}_name`, (row) => nameOf(address(row))?.name],
    [`${name}_name_source`, (row) => nameOf(address(row))?.source],
  ];
  // IPv6 needs more than twice as much; what is longer still is cut, and shown by the pointer.
  const roomFor = (model) => Math.min(Math.max(model.longest, 13) * 0.6 + 2, 26);
  const hostColumn = (model, title, csv, address) => ({
    title, width: roomFor(model) + 9, value: (row) => address(row).text, text: (row) => withName(address(row)),
    cell: (row) => hostCell(address(row)), csv: csvOfHost(csv, address),
  });

  const timeColumns = (model, start, end) => {
    const { origin } = model.data;
    const at = (time) => (time === null ? null : origin + time);
    const length = (row) => (start(row) === null ? null : (end(row) - start(row)) / 1000);
    const oneDay = model.report.start !== null && model.report.start.slice(0, 10) === model.report.end.slice(0, 10);
    const show = (time) => (time === null ? "" : oneDay ? Format.clock(time) : Format.moment(time));
    return [
      { title: "First packet", hint: "UTC; of the whole report", numeric: true, width: oneDay ? 8.5 : 14.5, value: (row) => at(start(row)), text: (row) => show(at(start(row))), csv: [["start", (row) => (start(row) === null ? null : Format.iso(at(start(row))))], ["end", (row) => (end(row) === null ? null : Format.iso(at(end(row))))]] },
      { title: "Duration", hint: "From the first to the last packet, in the whole report", numeric: true, width: 6.5, value: length, text: (row) => (length(row) === null ? "" : duration(length(row))), csv: [["duration_seconds", length]] },
    ];
  };

  const endpoints = (model) => {
    const address = (row) => model.address(row.at);
    const part = (title, at, format, hint) => counted(title, (row) => row.counts[at], format, hint);
    const hasGeo = model.data.addresses.some(([, geo]) => geo !== 0);
    const geo = { title: "Place", hint: "What the databases say that were given", width: 16, value: (row) => address(row).geo, text: (row) => address(row).geo, csv: [["place", (row) => address(row).geo]] };
    return {
      id: "endpoints", title: "Top talkers", one: "endpoint", unit: "endpoints", allName: "all × 2 (one sends, one receives)", empty: "No endpoint has packets here.",
      columns: [
        hostColumn(model, "Endpoint", "address", address),
        ...(hasGeo ? [geo] : []),
        counted("Bytes", (row) => row.counts[1] + row.counts[3], bytes, "Sent and received", sumBytes),
        { ...shareColumn((row) => row.counts[1], (row) => row.counts[3]) },
        part("Sent", 1, bytes, "Bytes sent"),
        part("Received", 3, bytes, "Bytes received"),
        counted("Packets", (row) => row.counts[0] + row.counts[2], count, "Sent and received", sumPackets),
        part("Packets sent", 0, count), part("Packets received", 2, count),
      ],
      haystack: (row) => `${withName(address(row))} ${address(row).geo}`.toLowerCase(),
      counts: (row) => ({ packets: row.counts[0] + row.counts[2], bytes: row.counts[1] + row.counts[3] }),
    };
  };

  // Two tones against the largest of the list; the numbers stand beside it.
  const shareColumn = (one, two) => ({
    title: "Sent | received", hint: "Length: bytes, against the largest row", width: 11, value: (row) => one(row) + two(row), numeric: true, left: true, csv: [],
    text: () => "",
    cell(row) {
      const most = Math.max(this.most ?? 0, 1);
      const bar = (value, kind) => Dom.el("span", { class: kind, style: { width: `${(value / most) * 100}%` } });
      return Dom.el("span", { class: "twotone", "aria-hidden": "true" }, bar(one(row), "sent"), bar(two(row), "received"));
    },
  });

  const conversations = (model) => {
    const a = (row) => model.address(row.a);
    const b = (row) => model.address(row.b);
    const part = (title, at, csv) => ({ ...counted(title, (row) => row.counts[at], bytes), csv: [[csv, (row) => row.counts[at]]] });
    return {
      id: "conversations", title: "Conversations", one: "conversation", unit: "conversations", empty: "No two addresses talked here.",
      columns: [
        hostColumn(model, "A", "a", a), hostColumn(model, "B", "b", b),
        counted("Bytes", (row) => row.counts[1] + row.counts[3], bytes, "Both directions", sumBytes),
        part("A → B", 1, "bytes_a_to_b"), part("B → A", 3, "bytes_b_to_a"),
        counted("Packets", (row) => row.counts[0] + row.counts[2], count, "Both directions", sumPackets),
        ...timeColumns(model, (row) => row.start, (row) => row.end),
      ],
      haystack: (row) => `${withName(a(row))} ${withName(b(row))}`.toLowerCase(),
      counts: (row) => ({ packets: row.counts[0] + row.counts[2], bytes: row.counts[1] + row.counts[3] }),
    };
  };

  const flows = (model) => {
    const { data } = model;
    const field = (at) => (i) => data.flows[i][at];
    const textField = (at) => (i) => model.text(data.flows[i][at]);
    const more = (at) => (i) => model.text(data.flows[i][11][at]);
    const host = (at) => (i) => model.address(data.flows[i][at]);
    const [src, dst] = [host(0), host(2)];
    const [transport, protocol, how] = [textField(4), textField(5), textField(6)];
    const names = (i) => model.names(data.flows[i][11].slice(5));
    const both = (i) => (transport(i) === protocol(i) ? transport(i) : `${transport(i)}/${protocol(i)}`);
    const plain = (title, csv, value, width, hint) => ({ title, hint, width, value, text: value, csv: [[csv, value]] });
    const hostAndPort = (title, csv, address, port) => ({
      title, width: roomFor(model) + 4, value: (i) => joined(address(i).text, port(i)),
      text: (i) => (address(i).names.length > 0 ? `${joined(address(i).text, port(i))}  ${told(address(i).names)}` : joined(address(i).text, port(i))),
      cell: (i) => Dom.el("span", { class: "address" }, joined(address(i).text, port(i))),
      csv: [[csv, (i) => address(i).text], [`${csv}_port`, port]],
    });
    const longest = (value) => data.flows.reduce((most, _, i) => Math.max(most, value(i).length), 0);
    const used = (value) => data.flows.some((_, i) => value(i) !== "");
    const directed = data.flows.some((_, i) => more(2)(i) !== "unknown");
    const { packets, bytes: sums } = model.flowSums;
    return {
      id: "flows", title: "Flows", one: "flow (one direction)", unit: "flows (one direction each)", empty: "No flow has packets here.",
      columns: [
        hostAndPort("Source", "src", src, field(1)), hostAndPort("Destination", "dst", dst, field(3)),
        { title: "Protocol", hint: "? = only the port says so", width: Math.min(Math.max(longest(both) * 0.58 + 3, 7), 18), value: both, text: (i) => (how(i) ? `${both(i)}, told by ${how(i)}` : both(i)),
          cell: (i) => [both(i), how(i) === "port" && Dom.el("span", { class: "guess", title: "only the port says so" }, " ?")],
          csv: [["transport", transport], ["protocol", protocol], ["classified_by", how]] },
        ...(used((i) => names(i)[0]?.name ?? "") ? [{ title: "Name", hint: "And where it is from", width: 15, value: (i) => names(i)[0]?.name ?? "", text: (i) => told(names(i)), cell: (i) => named(names(i)),
          csv: [["name", (i) => names(i)[0]?.name], ["name_source", (i) => names(i)[0]?.source]] }] : []),
        counted("Bytes", (i) => sums[i], bytes, "In the span that is looked at", sumBytes),
        counted("Packets", (i) => packets[i], count, "In the span that is looked at", sumPackets),
        ...timeColumns(model, field(9), field(10)),
        ...(used(more(0)) ? [plain("Flags", "tcp_flags", more(0), 5, "TCP flags that any packet had")] : []),
        ...(used(more(1)) ? [plain("Interface", "interface", more(1), 7)] : []),
        ...(directed ? [plain("Direction", "direction", more(2), 7)] : []),
        ...(used(more(3)) ? [plain("Process", "process", more(3), 9)] : []),
        ...(used(more(4)) ? [plain("Details", "details", more(4), 18, "Of the handshake or the first request")] : []),
      ],
      haystack: cached(data.flows.length, (i) => [joined(src(i).text, data.flows[i][1]), told(src(i).names), joined(dst(i).text, data.flows[i][3]), told(dst(i).names), both(i), how(i), told(names(i)), more(3)(i), more(4)(i), more(1)(i)].join(" ").toLowerCase()),
      counts: (i) => ({ packets: packets[i], bytes: sums[i] }),
    };
  };

  const cached = (length, make) => {
    const known = new Array(length);
    return (i) => (known[i] ??= make(i));
  };

  return { endpoints, conversations, flows };
})();

