/** A run's page: its curves. */
import { curves } from "../charts/curves";
import { Controls } from "../charts/controls";
import { Figure } from "../charts/figure";
import { lineOf, timeUnit } from "../charts/lines";
import { find, findAll } from "../dom";
import { load } from "../loader";
import { type Page, siteUrl } from "../page";
import type { Specs } from "../specs";
import type { RunChunk, SiteData } from "../types";

export async function startRun(page: Page, site: Promise<SiteData>): Promise<void> {
  const elements = findAll("[data-chart=curves]");
  if (!page.chunks[0] || !elements.length) return;
  const [run, specs] = await Promise.all([load<RunChunk>(page.chunks[0]), site.then((data) => load<Specs>(siteUrl(data.charts)))]);
  const figures = elements.map((element) => new Figure(element));
  const controls = new Controls();
  const show = () => {
    for (const figure of figures) figure.show(contentOf(figure, run, specs, controls));
  };
  controls.onChange(show);
  show();
  find("#charts")?.after(controls.element);
  const section = controls.element.closest("section");
  if (section) section.hidden = figures.every((figure) => figure.element.hidden);
}

function contentOf(figure: Figure, run: RunChunk, specs: Specs, controls: Controls) {
  const series = run.series.filter((item) => figure.metrics.includes(item.metric));
  const unit = timeUnit(series);
  const lines = series.map((item, slot) => lineOf(item, item.metric, slot, controls.axis, unit));
  return curves(specs.curves, lines, { smoothing: controls.smoothing, log: controls.log, axis: controls.axis, unit, yTitle: null });
}
