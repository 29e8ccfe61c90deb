/** The comparison: which runs stands in the address; each is loaded from its own chunk. */
import { readParam, writeParams } from "../address";
import { Controls } from "../charts/controls";
import { Figure } from "../charts/figure";
import { MOST_LABELS } from "../charts/labels";
import { loadRun, overlay } from "../charts/overlay";
import { Palette } from "../colours";
import { compareTable } from "../compare/table";
import { button, find, h } from "../dom";
import { load } from "../loader";
import { type Page, siteUrl } from "../page";
import { SearchDialog } from "../search/dialog";
import type { Specs } from "../specs";
import type { RunChunk, SiteData } from "../types";

const MOST = 50;

export async function startCompare(_page: Page, site: Promise<SiteData>): Promise<void> {
  const holder = find("[data-compare]");
  if (holder) await new Comparison(holder, site).update();
}

class Comparison {
  private ids = [...new Set((readParam("runs") ?? "").split(",").filter((id) => /^[0-9a-f]{32}$/.test(id)))].slice(0, MOST);
  private onlyDifferences = readParam("all") !== "1";
  private readonly palette = new Palette();
  private readonly controls = new Controls();
  private readonly top = h("div", { class: "tk-toolbar" });
  private readonly table = h("div");
  private readonly legend = h("ul", { class: "tk-legend" });
  private readonly charts = h("div", { class: "tk-charts" });
  private readonly chartSection = h("section", { class: "tk-charts-section", "aria-labelledby": "charts" }, h("div", { class: "tk-charts-head" }, h("h2", { id: "charts" }, "Curves"), this.controls.element), this.legend, this.charts);
  private readonly figures = new Map<string, Figure>();
  private readonly picker: SearchDialog;

  constructor(
    holder: HTMLElement,
    private readonly site: Promise<SiteData>,
  ) {
    this.picker = new SearchDialog(site, { label: "Add a run", only: "run", pick: (hit) => void this.add(hit.href.split("/")[1]!) });
    this.controls.onChange(() => void this.drawCharts());
    holder.append(this.top, this.table, this.chartSection);
  }

  async update(): Promise<void> {
    writeParams({ runs: this.ids.join(","), all: this.onlyDifferences ? null : "1" });
    const results = await Promise.allSettled(this.ids.map((id) => loadRun({ id, version: "" })));
    const runs = results.flatMap((result) => (result.status === "fulfilled" && result.value ? [result.value] : []));
    this.palette.assign(runs.map((run) => run.id));
    this.showTop(runs);
    this.table.replaceChildren(...(runs.length ? [this.makeTable(runs)] : [empty()]));
    for (const examples of document.querySelectorAll<HTMLElement>("[data-examples]")) examples.hidden = runs.length > 0;
    await this.drawCharts(runs);
  }

  private async add(id: string): Promise<void> {
    if (!this.ids.includes(id)) this.ids.push(id);
    await this.update();
  }

  private async remove(id: string): Promise<void> {
    this.ids = this.ids.filter((other) => other !== id);
    await this.update();
    find<HTMLElement>(".tk-remove")?.focus();
  }

  private showTop(runs: readonly RunChunk[]): void {
    const missing = this.ids.length - runs.length;
    const add = button("Add a run", () => this.picker.open(), { class: `tk-button${runs.length ? "" : " tk-button--primary"}`, "aria-haspopup": "dialog" });
    const toggle = button("Only what differs", () => {
      this.onlyDifferences = !this.onlyDifferences;
      void this.update().then(() => find<HTMLElement>("[aria-pressed]", this.top)?.focus());
    }, { "aria-pressed": String(this.onlyDifferences) });
    const note = missing > 0 && h("p", { class: "tk-toolbar__hint", role: "status" }, `${missing} of ${this.ids.length} runs are not on this site.`);
    this.top.replaceChildren(add, ...(runs.length > 1 ? [toggle] : []), ...(note ? [note] : []));
  }

  private makeTable(runs: readonly RunChunk[]): HTMLElement {
    return compareTable(runs, { onlyDifferences: this.onlyDifferences, colourOf: (id) => this.palette.css(id), remove: (id) => void this.remove(id) });
  }

  private async drawCharts(runs?: readonly RunChunk[]): Promise<void> {
    const specs = await this.site.then((data) => load<Specs>(siteUrl(data.charts)));
    if (runs) this.arrange(runs);
    const drawn = this.ids.filter((id) => this.palette.slot(id) !== undefined).map((id) => ({ id, version: "", slot: this.palette.slot(id)! }));
    let any = false;
    for (const [metric, figure] of this.figures) {
      const content = await overlay(specs.curves, drawn, metric, this.controls);
      figure.show(content && { ...content, legend: [] });
      any ||= content !== null;
    }
    this.chartSection.hidden = !any;
  }

  /** A figure for each metric that has a curve in one of the runs. */
  private arrange(runs: readonly RunChunk[]): void {
    const metrics = new Set(runs.flatMap((run) => run.series.filter((series) => series.step.length > 1).map((series) => series.metric)));
    for (const metric of metrics) if (!this.figures.has(metric)) this.figures.set(metric, new Figure(figureElement(metric)));
    for (const [metric, figure] of this.figures) {
      if (metrics.has(metric)) this.charts.append(figure.element);
      else figure.element.remove();
    }
    this.legend.replaceChildren(...(runs.length > MOST_LABELS ? runs : []).map((run) => {
      const key = h("span", { class: "tk-key" });
      key.style.setProperty("--run", this.palette.css(run.id) ?? "transparent");
      return h("li", {}, key, run.name);
    }));
  }
}

function figureElement(metric: string): HTMLElement {
  const caption = h("figcaption", {}, h("span", { class: "tk-chart__title" }, metric));
  return h("figure", { class: "tk-chart", "data-chart": "curves" }, caption, h("data", { value: metric }));
}

function empty(): HTMLElement {
  return h("p", { class: "tk-empty" }, "No runs chosen yet. Add runs here, or tick them in the table of an experiment and press Compare. The address of this page then names them, so it can be shared.");
}
