/** A chart on the page: title, plot, direct labels or legend, footnote, and the numbers behind it a click away. */
import { button, find, h } from "../dom";
import { fileName, save, toCsv } from "../download";
import { type Datum, draw, type Spec, type View } from "./bundle";
import { exportSvg } from "./export";
import { Reader, type Reading } from "./reader";
import { whenSeen } from "./seen";

export interface Table {
  head: string[];
  rows: unknown[][];
}

export interface Content {
  spec: Spec;
  data: Record<string, Datum[]>;
  note: string;
  reading: Reading;
  table: () => Table;
  legend: LegendItem[];
}

export interface LegendItem {
  label: string;
  colour: string;
  href?: string | undefined;
  dashed?: boolean;
}

const MOST_ROWS = 500;
const MOST_LEGEND = 12;

export class Figure {
  readonly metrics: string[];
  readonly title: string;
  private readonly plot = h("div", { class: "tk-plot" });
  private readonly legend = h("ul", { class: "tk-legend" });
  private readonly note = h("span", { class: "tk-chart__foot-note" });
  private readonly numbers = h("details", { class: "tk-numbers" }, h("summary", {}, "Numbers"));
  private readonly reader = new Reader(this.plot);
  private content: Content | null = null;
  private view: View | null = null;
  private drawing: Promise<void> = Promise.resolve();
  private drawnSpec = "";
  private seen = false;

  constructor(readonly element: HTMLElement) {
    this.metrics = [...element.querySelectorAll("data")].map((item) => item.value);
    this.title = find(".tk-chart__title", element)?.textContent ?? "";
    const actions = h("span", { class: "tk-chart__actions" }, button("CSV", () => this.saveCsv(), { class: "tk-link" }), button("SVG", () => void this.saveSvg(), { class: "tk-link" }));
    find("figcaption", element)?.append(this.legend);
    element.append(this.plot, h("p", { class: "tk-chart__foot" }, this.note, actions), this.numbers);
    this.plot.setAttribute("aria-label", `Chart of ${this.title}; arrow keys read its values`);
    this.numbers.addEventListener("toggle", () => this.numbers.open && this.fillNumbers());
    whenSeen(element, () => {
      this.seen = true;
      this.redraw();
    });
  }

  /** Draws other contents; null takes the chart away, for an empty chart says nothing. */
  show(content: Content | null): void {
    this.content = content;
    this.element.hidden = content === null;
    if (!content) return;
    this.note.textContent = content.note;
    this.legend.replaceChildren(...content.legend.slice(0, MOST_LEGEND).map(legendItem));
    if (this.numbers.open) this.fillNumbers();
    this.redraw();
  }

  /** Drawings that were asked for meanwhile are made once, with the newest contents. */
  private redraw(): void {
    if (!this.seen || !this.content) return;
    const { content } = this;
    this.drawing = inTurn(() => (content === this.content ? this.drawNow(content) : Promise.resolve())).catch((error: unknown) => this.fail(error));
  }

  /** Where only the data changed, the drawing takes them over; else it is made anew and then put in place of the old one. */
  private async drawNow(content: Content): Promise<void> {
    const spec = JSON.stringify(content.spec);
    if (this.view && spec === this.drawnSpec) {
      for (const [name, values] of Object.entries(content.data)) this.view.data(name, values);
      await this.view.runAsync();
    } else {
      await this.drawAnew(content);
      this.drawnSpec = spec;
    }
    this.reader.read(this.view!, content.reading);
  }

  private async drawAnew(content: Content): Promise<void> {
    const fresh = h("div", { class: "tk-plot__canvas" });
    this.plot.append(fresh);
    const view = await draw(content.spec, content.data, fresh);
    this.view?.finalize();
    this.view = view;
    for (const old of [...this.plot.querySelectorAll(".tk-plot__canvas")]) if (old !== fresh) old.remove();
  }

  private fail(error: unknown): void {
    this.plot.replaceChildren(h("p", { class: "tk-empty" }, error instanceof Error ? error.message : String(error)));
  }

  private fillNumbers(): void {
    const table = this.content?.table();
    if (!table) return;
    const head = h("tr", {}, ...table.head.map((text) => h("th", { scope: "col", class: "tk-n" }, text)));
    const rows = table.rows.slice(0, MOST_ROWS).map((row) => h("tr", {}, ...row.map((item) => h("td", { class: "tk-n" }, item === undefined || item === null ? "" : String(item)))));
    const more = table.rows.length > MOST_ROWS && h("p", { class: "tk-foot" }, `The first ${MOST_ROWS} of ${table.rows.length} rows; the CSV has all.`);
    const grid = h("table", { class: "tk-table" }, h("caption", { class: "tk-hidden" }, this.title), h("thead", {}, head), h("tbody", {}, ...rows));
    const scroll = h("div", { class: "tk-scroll", tabindex: 0, role: "region", "aria-label": `Numbers of ${this.title}` }, grid);
    this.numbers.replaceChildren(h("summary", {}, "Numbers"), scroll, ...(more ? [more] : []));
  }

  private saveCsv(): void {
    const table = this.content?.table();
    if (table) save(fileName(this.title, "csv"), "text/csv", toCsv([table.head, ...table.rows]));
  }

  private async saveSvg(): Promise<void> {
    await this.drawing;
    if (this.view) save(fileName(this.title, "svg"), "image/svg+xml", exportSvg(await this.view.toSVG(), this.plot));
  }
}

let last: Promise<void> = Promise.resolve();

/** One chart after another, with a breath between them, so that the page answers while many are drawn. */
function inTurn(draw: () => Promise<void>): Promise<void> {
  const turn = last.then(() => new Promise((resolve) => setTimeout(resolve))).then(draw);
  last = turn.catch(() => undefined);
  return turn;
}

function legendItem(item: LegendItem): HTMLLIElement {
  const key = h("span", { class: `tk-key${item.dashed ? " tk-key--dashed" : ""}` });
  key.style.setProperty("--run", item.colour);
  return h("li", {}, key, item.href ? h("a", { href: item.href }, item.label) : h("span", {}, item.label));
}
