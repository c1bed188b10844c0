const onPaper = 40;

// A list of any length: sorted by a click on a heading, searched, copied as CSV; only the rows in sight are in the page.
class Table {
  // `columns`: { title, numeric, value(row), text(row), cell(row), width, csv: [[title, value(row)]], hint, sum }
  constructor({ id, title, one, unit, columns, haystack, empty }) {
    Object.assign(this, { id, title, one, unit, columns, haystack, empty });
    this.sort = null;
    this.words = [];
    this.rows = [];
    this.shown = [];
    this.list = { rows: [], total: 0, others: { packets: 0, bytes: 0 } };
    this.rowHeight = 30;
    this.make();
  }

  // The rows of another span; sorting and search stay.
  set(list, all, span) {
    this.list = list;
    this.span = span;
    this.all = all;
    this.refresh();
  }

  refresh() {
    this.rows = this.list.rows;
    if (this.words.length > 0) {
      this.rows = this.rows.filter((row) => {
        const text = this.haystack(row);
        return this.words.every((word) => text.includes(word));
      });
    }
    if (this.sort) this.rows = sorted(this.rows, this.columns[this.sort.column], this.sort.descending);
    this.table.setAttribute("aria-rowcount", this.rows.length + 1);
    this.first = -1;
    this.draw();
    this.tell();
    this.foot();
  }

  make() {
    const { id, title } = this;
    const search = Dom.el("input", {
      type: "search", id: `${id}-search`, placeholder: "Search: address, name, protocol …", "aria-label": `Search ${title.toLowerCase()}`,
      spellcheck: "false", autocomplete: "off", "aria-describedby": `${id}-told`,
    });
    this.search = search;
    search.addEventListener("input", () => this.find(search.value));
    const copy = Dom.el("button", { type: "button", id: `${id}-copy`, on: { click: () => this.copy() } }, "Copy as CSV");
    this.told = Dom.el("p", { id: `${id}-told`, class: "small faint", role: "status" });
    this.heads = this.columns.map((column, place) => this.head(column, place));
    this.body = Dom.el("tbody");
    this.footer = Dom.el("tfoot");
    this.cols = this.columns.map(() => Dom.el("col"));
    this.table = Dom.el("table", { class: "list" },
      Dom.el("caption", { class: "hidden" }, `${title}; headings sort`),
      Dom.el("colgroup", {}, this.cols),
      Dom.el("thead", {}, Dom.el("tr", { "aria-rowindex": 1 }, this.heads)),
      this.body, this.footer);
    this.pane = Dom.el("div", { class: "pane", tabindex: 0, role: "region", "aria-label": `${title}, table that scrolls` }, this.table);
    this.pane.addEventListener("scroll", () => this.draw(), { passive: true });
    this.fit();
    new ResizeObserver(() => { this.fit(); this.draw(); }).observe(this.pane);
    Dom.replace(Dom.id(id),
      Dom.el("div", { class: "bar" }, Dom.el("h2", { id: `${id}-title` }, title), Dom.el("div", { class: "controls" }, search, copy)),
      this.told, this.pane);
  }

  // On a phone addresses wrap, so that there is room for a number beside them. The heights are those of the style.
  fit() {
    const narrow = matchMedia("(max-width: 560px)").matches;
    const width = (column) => (narrow ? Math.min(column.width, 15) : column.width);
    this.columns.forEach((column, place) => this.cols[place].style.setProperty("width", `${width(column)}em`));
    this.least = this.columns.reduce((sum, column) => sum + width(column), 0);
    this.table.style.setProperty("min-width", `${this.least}em`);
    this.rowHeight = narrow ? 46 : 30;
    this.first = -1;
  }

  head(column, place) {
    const button = Dom.el("button", { type: "button", title: column.hint, on: { click: () => this.turn(place) } }, column.title, Dom.el("span", { class: "arrow", "aria-hidden": "true" }));
    return Dom.el("th", { scope: "col", class: column.numeric && !column.left && "number", "aria-sort": "none" }, button);
  }

  find(text) {
    this.search.value = text;
    this.words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
    this.pane.scrollTop = 0;
    this.refresh();
  }

  // Numbers begin with the largest, texts with the first; the third click is the report's own order.
  turn(place) {
    const descending = Boolean(this.columns[place].numeric);
    if (this.sort?.column !== place) this.sort = { column: place, descending };
    else if (this.sort.descending === descending) this.sort.descending = !descending;
    else this.sort = null;
    this.tellOrder();
    this.pane.scrollTop = 0;
    this.refresh();
  }

  tellOrder() {
    this.heads.forEach((head, at) => {
      const order = this.sort?.column === at ? (this.sort.descending ? "descending" : "ascending") : "none";
      head.setAttribute("aria-sort", order);
    });
  }

  // Takes over what somebody did to the table that this one replaces; draw before and after.
  resume(before) {
    this.search.value = before.search.value;
    this.words = before.words;
    this.sort = before.sort !== null && before.sort.column < this.columns.length ? before.sort : null;
    this.tellOrder();
  }

  draw() {
    // Paper does not scroll.
    const most = this.printing ? onPaper : null;
    const height = this.pane.clientHeight || 400;
    const first = most ? 0 : Math.max(Math.floor(this.pane.scrollTop / this.rowHeight) - 15, 0);
    const last = most ? Math.min(most, this.rows.length) : Math.min(first + Math.ceil(height / this.rowHeight) + 30, this.rows.length);
    if (first === this.first && last === this.last) return;
    [this.first, this.last] = [first, last];
    const rows = [];
    for (let at = first; at < last; at += 1) rows.push(this.row(this.rows[at], at));
    if (rows.length === 0) {
      const text = this.words.length > 0 ? "Nothing matches the search." : this.empty;
      rows.push(Dom.el("tr", {}, Dom.el("td", { colspan: this.columns.length, class: "faint" }, text)));
    }
    const gap = (count) => count > 0 && Dom.el("tr", { class: "gap", "aria-hidden": "true" }, Dom.el("td", { colspan: this.columns.length, style: { height: `${count * this.rowHeight}px` } }));
    Dom.replace(this.body, gap(first), rows, gap(most ? 0 : this.rows.length - last));
  }

  row(row, at) {
    const cells = this.columns.map((column, place) => {
      const text = column.text(row);
      return Dom.el("td", { role: place === 0 && "rowheader", class: column.numeric && !column.left && "number", title: column.numeric ? null : text }, column.cell ? column.cell(row) : text);
    });
    return Dom.el("tr", { "aria-rowindex": at + 2, class: at % 2 ? "odd" : "even" }, cells);
  }

  tell() {
    const { rows, total } = this.list;
    const { count } = Format;
    const unit = (number) => (number === 1 ? this.one : this.unit);
    const here = this.span === null ? "" : ", with packets in this span";
    const known = total === null ? `${count(rows.length)} of the ${this.unit} that are in this page${here}` : this.span !== null ? `${count(total)} ${unit(total)}${here}` : total === rows.length ? `${count(total)} ${unit(total)}` : `${count(rows.length)} of ${count(total)} ${this.unit} are listed, the largest`;
    const found = this.words.length > 0 ? `${count(this.rows.length)} match; ${known}` : known;
    const cut = this.printing && this.rows.length > onPaper ? `; the first ${onPaper} are on paper` : "";
    this.told.textContent = found + cut;
  }

  foot() {
    const line = (name, counts, strong) => {
      const cells = this.columns.map((column, place) => Dom.el("td", { class: column.numeric && "number" }, place === 0 ? name : column.sum ? column.sum(counts) : ""));
      return Dom.el("tr", { class: strong && "strong" }, cells);
    };
    const { others } = this.list;
    const found = this.words.length > 0 && line("matching", this.total(this.rows));
    Dom.replace(this.footer, found, others.packets > 0 && line("not listed", others), line(this.allName ?? "all", this.all, true));
  }

  total(rows) {
    const sum = { packets: 0, bytes: 0 };
    for (const row of rows) {
      const { packets, bytes } = this.counts(row);
      sum.packets += packets;
      sum.bytes += bytes;
    }
    return sum;
  }

  async copy() {
    const columns = this.columns.flatMap((column) => column.csv);
    const lines = [columns.map(([title]) => title), ...this.rows.map((row) => columns.map(([, value]) => value(row)))];
    const text = lines.map((line) => line.map(Csv.cell).join(",")).join("\r\n") + "\r\n";
    const done = await Dom.copy(text);
    Dom.toast(done ? `${Format.count(this.rows.length)} rows copied as CSV` : "The browser does not let this page copy");
  }
}

const sorted = (rows, column, descending) => {
  const values = new Map(rows.map((row) => [row, column.value(row)]));
  const way = descending ? -1 : 1;
  const collator = new Intl.Collator("en", { numeric: true });
  const compare = column.numeric ? (x, y) => x - y : collator.compare;
  return [...rows].sort((x, y) => {
    const [a, b] = [values.get(x), values.get(y)];
    // What has no value comes last, whichever way.
    if (a === null || b === null || a === "" || b === "") return (a === null || a === "" ? 1 : 0) - (b === null || b === "" ? 1 : 0);
    return way * compare(a, b);
  });
};

// RFC 4180; a cell that a spreadsheet would take for a formula begins with an apostrophe.
const Csv = {
  cell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    const text = /^[=+\-@\t\r\n|%]/.test(value) ? `'${value}` : value;
    return /[",\r\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  },
};

