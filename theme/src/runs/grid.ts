/** The table itself: rows of one height, of which only those in sight exist. A row keeps its element while it is in sight. */
import { find, findAll, h } from "../dom";
import { siteUrl } from "../page";
import type { Column } from "./column";
import { columnName, headCell } from "./head";
import { indentOf, Row } from "./row";
import { middleCut } from "./shorten";
import type { RunsView } from "./view";

const BEYOND = 8;
const ROW_HEIGHT = 32;
const MOST_PRINTED = 1_000;
/** On phones the name takes less room, and when and how long is told by the page of the run. */
const NARROW = matchMedia("(max-width: 44rem)");

export class Grid {
  readonly element: HTMLElement;
  private readonly body = h("tbody");
  private readonly above = spacer();
  private readonly below = spacer();
  private readonly head = h("thead");
  private readonly widths = h("colgroup");
  private readonly table: HTMLTableElement;
  private shown = new Map<number, Row>();
  private pool: Row[] = [];
  private columns: Column[] = [];
  private rowHeight = ROW_HEIGHT;
  private frame = 0;
  private nameWidth = Infinity;
  private measureName = (text: string) => text.length;
  private printing = false;

  constructor(
    private readonly view: RunsView,
    private readonly swatch: (id: string) => string | null,
    caption: string,
  ) {
    this.table = h("table", { class: "tk-table tk-table--runs tk-table--live" }, h("caption", { class: "tk-hidden" }, caption), this.widths, this.head, this.body);
    this.element = h("div", { class: "tk-scroll tk-grid", tabindex: 0, role: "region", "aria-label": caption }, this.table);
    this.body.append(this.above, this.below);
    this.element.addEventListener("scroll", () => this.schedule(), { passive: true });
    this.head.addEventListener("click", (event) => this.onSort(event));
    this.body.addEventListener("change", (event) => this.onTick(event));
    NARROW.addEventListener("change", () => this.rebuild());
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
    new ResizeObserver(() => this.schedule()).observe(this.element);
  }

  /** Columns may have changed: everything is made anew. */
  rebuild(): void {
    this.columns = this.view.columns.map((id) => this.view.data.column(id));
    this.makeHead();
    for (const row of this.shown.values()) row.element.remove();
    this.shown.clear();
    this.pool = [];
    this.measure();
    this.refresh();
  }

  /** The rows, their order or their marks have changed. */
  refresh(): void {
    this.table.setAttribute("aria-rowcount", String(this.view.rows.length + 1));
    this.markSort();
    for (const row of this.shown.values()) row.stale = true;
    this.draw();
  }

  private makeHead(): void {
    const run = [this.view.data.column("run:name"), ...this.fixedColumns()];
    const all = [...run, ...this.columns];
    const cells = all.map((column, index) => headCell(column, index > 0 && all[index - 1]!.kind !== column.kind, this.view.stat));
    this.head.replaceChildren(h("tr", { "aria-rowindex": 1 }, ...cells));
    const measure = textMeasure(this.element);
    this.measureName = (text) => measure(text) * BOLD;
    const widths = all.map((column) => widthOf(column, this.view, measure));
    this.nameWidth = widths[0]! - BESIDE_NAME;
    this.widths.replaceChildren(...widths.map((width) => { const col = h("col"); col.style.width = `${width}px`; return col; }));
    this.table.style.width = `max(100%, ${widths.reduce((sum, width) => sum + width, 0)}px)`;
  }

  private fixedColumns(): Column[] {
    const { data } = this.view;
    const names = NARROW.matches ? ["status"] : ["status", "start", "duration"];
    if (data.experiments > 1) names.unshift("experiment");
    return names.map((name) => data.column(`run:${name}`));
  }

  private markSort(): void {
    for (const cell of findAll("th[data-column]", this.head)) {
      const sorted = cell.dataset["column"] === this.view.sort.column;
      const order = this.view.sort.descending ? "descending" : "ascending";
      if (sorted) cell.setAttribute("aria-sort", order);
      else cell.removeAttribute("aria-sort");
    }
  }

  private measure(): void {
    if (!this.view.rows.length || !this.element.isConnected) return;
    const row = this.place(0, this.above);
    const height = row.element.getBoundingClientRect().height;
    if (height > 0) this.rowHeight = height;
  }

  private schedule(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  /** Paper does not scroll, so all rows that it should show must be there. */
  private print(on: boolean): void {
    this.printing = on;
    if (on) this.drawRows(0, Math.min(this.view.rows.length, MOST_PRINTED));
    else this.draw();
  }

  private draw(): void {
    if (this.printing) return;
    const { rows } = this.view;
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / this.rowHeight) - BEYOND);
    const last = Math.min(rows.length, Math.ceil((scrollTop + clientHeight) / this.rowHeight) + BEYOND);
    this.drawRows(first, last);
    // A table that was just emptied or filled has another height than it had a moment ago.
    if (this.element.clientHeight !== clientHeight) this.schedule();
  }

  private drawRows(first: number, last: number): void {
    this.reuse(first, last);
    this.release(first, last);
    let before: Element = this.above;
    for (let index = first; index < last; index += 1) before = this.place(index, before).element;
    setHeight(this.above, first * this.rowHeight);
    setHeight(this.below, Math.max(0, this.view.rows.length - last) * this.rowHeight);
  }

  /** After a jump, the rows in sight are filled again where they stand, which spares the browser much layout. */
  private reuse(first: number, last: number): void {
    const shown = [...this.shown].sort(([a], [b]) => a - b);
    if (shown.some(([index]) => index >= first && index < last)) return;
    this.shown = new Map(shown.map(([, row], position) => [first + position, row]));
    for (const row of this.shown.values()) row.stale = true;
  }

  private release(first: number, last: number): void {
    for (const [index, row] of this.shown) {
      if (index >= first && index < last) continue;
      row.element.remove();
      this.shown.delete(index);
      this.pool.push(row);
    }
  }

  private place(index: number, after: Element): Row {
    let row = this.shown.get(index);
    if (!row) {
      row = this.pool.pop() ?? new Row([...this.fixedColumns(), ...this.columns]);
      row.stale = true;
      this.shown.set(index, row);
    }
    if (after.nextElementSibling !== row.element) after.after(row.element);
    if (row.stale) this.fill(row, index);
    return row;
  }

  private fill(row: Row, index: number): void {
    const { data, rows, ticked, depths } = this.view;
    const at = rows[index]!;
    const id = data.id[at]!;
    const [name, depth] = [data.name[at]!, depths.get(at) ?? 0];
    const room = this.nameWidth - (depth ? MARK : 0) - indentOf(depth);
    row.fill(at, index + 2, { id, name, shown: middleCut(name, room, this.measureName), href: siteUrl(`runs/${id}/index.html`), ticked: ticked.has(id), colour: this.swatch(id), depth });
  }

  private onSort(event: Event): void {
    const column = (event.target as Element).closest<HTMLElement>("th[data-column]")?.dataset["column"];
    if (!column || !(event.target as Element).closest("button")) return;
    this.view.sortBy(column);
    find<HTMLElement>(`th[aria-sort] button`, this.head)?.focus();
  }

  private onTick(event: Event): void {
    const box = event.target as HTMLInputElement;
    this.view.tick([box.value], box.checked);
  }
}

function textMeasure(element: HTMLElement): (text: string) => number {
  const pen = document.createElement("canvas").getContext("2d");
  if (!pen) return (text) => text.length * 8;
  const { fontSize, fontFamily } = getComputedStyle(element);
  pen.font = `${fontSize} ${fontFamily}`;
  return (text) => pen.measureText(text).width;
}

function spacer(): HTMLTableRowElement {
  return h("tr", { "aria-hidden": "true", class: "tk-spacer" });
}

function setHeight(row: HTMLElement, height: number): void {
  row.style.height = `${height}px`;
  row.hidden = height === 0;
}

const SAMPLE = 200;
const SPARK = 70;
/** Names are written a little wider than what is measured; pixels of what stands beside them in their cell. */
const BOLD = 1.06;
const BESIDE_NAME = 64;
const NARROW_NAME = 228;
/** The mark before the name of a child. */
const MARK = 16;

/** Wide enough for the head and for what the first rows say, within bounds. */
function widthOf(column: Column, { rows, depths }: RunsView, measure: (text: string) => number): number {
  const sample = rows.slice(0, SAMPLE);
  const longest = sample.reduce((found, row) => (column.text(row).length > found.length ? column.text(row) : found), "");
  if (column.id === "run:name") return NARROW.matches ? NARROW_NAME : Math.round(Math.min(320, Math.max(160, measure(longest) * BOLD + BESIDE_NAME + 12 + indentOf(Math.max(0, ...sample.map((row) => depths.get(row) ?? 0))))));
  const drawing = column.id === "run:status" ? 18 : sample.some((row) => column.spark(row)) ? SPARK : 0;
  return Math.round(Math.min(280, Math.max(64, measure(columnName(column)) * 0.86 + 56, measure(longest) + drawing + 30)));
}
