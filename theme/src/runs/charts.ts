/** The charts of an experiment show the rows of its table; curves are of the ticked runs, else of the first ones. */
import { readParam, writeParams } from "../address";
import { Controls } from "../charts/controls";
import { Figure } from "../charts/figure";
import { overlay } from "../charts/overlay";
import { progress, scatter } from "../charts/points";
import { rankCorrelation } from "../charts/relation";
import type { Palette } from "../colours";
import { find, h } from "../dom";
import { load } from "../loader";
import { siteUrl } from "../page";
import type { Specs } from "../specs";
import type { SiteData } from "../types";
import type { Column } from "./column";
import type { RunsView } from "./view";

const FIRST = 8;
const MOST = 40;
const SAMPLE = 1_000;

export class ExperimentCharts {
  private readonly figures: Figure[];
  private readonly controls = new Controls();
  private readonly specs: Promise<Specs>;
  private readonly order: string[];
  private x: string | null = readParam("against");
  private turn = 0;

  constructor(
    private readonly view: RunsView,
    private readonly palette: Palette,
    elements: HTMLElement[],
    site: Promise<SiteData>,
    private readonly recoloured: () => void,
  ) {
    this.specs = site.then((data) => load<Specs>(siteUrl(data.charts)));
    this.figures = elements.map((element) => new Figure(element));
    this.controls.onChange(() => void this.draw());
    find("#charts")?.after(this.controls.element);
    this.order = this.choices();
    for (const figure of this.of("scatter")) this.addChoice(figure);
  }

  /** Colours first, for the table is drawn next. */
  update(): void {
    this.palette.assign(this.drawnIds());
    void this.draw();
  }

  private drawnIds(): string[] {
    const { data, rows, ticked } = this.view;
    if (ticked.size) return [...ticked].slice(0, MOST);
    return rows.slice(0, FIRST).map((row) => data.id[row]!);
  }

  private async draw(): Promise<void> {
    const turn = (this.turn += 1);
    const specs = await this.specs;
    const { data, rows } = this.view;
    const colourOf = (id: string) => this.palette.css(id);
    for (const figure of this.of("progress")) figure.show(progress(specs.progress, data, rows, figure.metrics[0]!, colourOf));
    for (const figure of this.of("scatter")) figure.show(this.against() ? scatter(specs.scatter, data, rows, this.against()!, figure.metrics.at(-1)!, colourOf) : null);
    const drawn = this.drawnIds().map((id) => ({ id, version: data.version[data.rowOf(id)!]!, slot: this.palette.slot(id) ?? 0 }));
    for (const figure of this.of("curves")) {
      const content = await overlay(specs.curves, drawn, figure.metrics[0]!, this.controls);
      if (turn !== this.turn) return;
      figure.show(content && { ...content, legend: [] });
    }
    const section = this.controls.element.closest("section");
    if (section) section.hidden = this.figures.every((figure) => figure.element.hidden);
    this.controls.element.hidden = this.of("curves").every((figure) => figure.element.hidden);
  }

  private of(kind: string): Figure[] {
    return this.figures.filter((figure) => figure.element.dataset["chart"] === kind);
  }

  /** Numeric params that vary, the one that the metric goes with most first; that is drawn unless the address says otherwise. */
  private choices(): string[] {
    const { data } = this.view;
    const params = data.keys("param").map((key) => data.column(`param:${key}`)).filter((column) => column.numeric && column.varies);
    const weights = new Map(params.map((column) => [column.id, this.weight(column)]));
    return [...weights.keys()].sort((a, b) => weights.get(b)! - weights.get(a)!).concat("run:duration");
  }

  /** How much the metric goes with it, and for how many runs that can be said. */
  private weight(column: Column): number {
    const metric = this.of("scatter")[0]?.metrics.at(-1);
    if (!metric) return 0;
    const ys = this.view.data.column(`metric:${metric}`).keys;
    const every = Math.ceil(column.keys.length / SAMPLE);
    const rows = [...column.keys.keys()].filter((row) => row % every === 0 && Number.isFinite(column.keys[row]) && Number.isFinite(ys[row]));
    const related = rankCorrelation(rows.map((row) => column.keys[row]!), rows.map((row) => ys[row]!));
    return Math.abs(related) * Math.sqrt(rows.length);
  }

  private against(): string | null {
    return this.x && this.order.includes(this.x) ? this.x : (this.order[0] ?? null);
  }

  private addChoice(figure: Figure): void {
    const options = this.order.map((id) => h("option", { value: id, selected: id === this.against() }, this.view.data.column(id).key));
    const select = h("select", { class: "tk-select", "aria-label": "Horizontal axis" }, ...options);
    select.addEventListener("change", () => {
      this.x = select.value;
      writeParams({ against: select.value });
      this.recoloured();
      void this.draw();
    });
    find("figcaption", figure.element)?.append(h("label", { class: "tk-label" }, "against ", select));
  }
}
