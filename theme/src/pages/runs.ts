/** The pages with a table of runs: of an experiment, with its charts, and of the whole site. */
import { Palette } from "../colours";
import { find, findAll } from "../dom";
import { number } from "../format";
import { load } from "../loader";
import type { Page } from "../page";
import { ExperimentCharts } from "../runs/charts";
import type { Column } from "../runs/column";
import { RunsData } from "../runs/data";
import { Grid } from "../runs/grid";
import { compileFor } from "../runs/match";
import { QueryBar } from "../runs/querybar";
import { TickBar } from "../runs/tickbar";
import { Toolbar } from "../runs/toolbar";
import { RunsView } from "../runs/view";
import type { ExperimentChunk, SiteData } from "../types";

export async function startRuns(page: Page, site: Promise<SiteData>): Promise<void> {
  const holder = find("[data-runs-table]");
  if (!page.chunks.length || !holder) return;
  const chunks = await Promise.all(page.chunks.map((chunk) => load<ExperimentChunk>(chunk)));
  const data = new RunsData(chunks);
  const columns = findAll("th[data-column]", holder).map((cell) => cell.dataset["column"]!);
  const view = new RunsView(data, columns);
  const palette = new Palette();
  const caption = find("caption", holder)?.textContent ?? "Runs";
  const grid = new Grid(view, (id) => palette.css(id), caption);
  const toolbar = new Toolbar(view);
  const tickBar = new TickBar(view);
  holder.replaceChildren(toolbar.element, grid.element, tickBar.element);
  find("[data-query-bar]")?.replaceWith(new QueryBar(view, compileFor(chunks), exampleOf(data, columns)).element);
  const figures = findAll("[data-chart]");
  const charts = figures.length ? new ExperimentCharts(view, palette, figures, site, () => grid.refresh()) : null;
  keepInStep(view, () => charts?.update(), grid, [toolbar, tickBar]);
}

function keepInStep(view: RunsView, charts: () => void, grid: Grid, bars: { refresh(): void }[]): void {
  let shape = "";
  const update = () => {
    charts();
    for (const bar of bars) bar.refresh();
    const now = `${view.columns.join("\n")}\n${view.stat}`;
    if (now === shape) grid.refresh();
    else grid.rebuild();
    shape = now;
  };
  view.onChange(update);
  update();
}

/** A query that makes sense here, to show how one is written. */
function exampleOf(data: RunsData, columns: readonly string[]): string {
  const parts = columns.map((id) => data.column(id));
  const metric = parts.find((column) => column.kind === "metric" && column.goal) ?? parts.find((column) => column.kind === "metric");
  const param = parts.find((column) => column.kind === "param" && column.numeric);
  const clauses = [
    metric && `metrics.${quoted(metric.key)} ${metric.goal === "minimize" ? "<" : ">"} ${typical(metric)}`,
    param && `params.${quoted(param.key)} <= ${typical(param)}`,
  ];
  return clauses.filter(Boolean).join(" and ") || "status = 'finished'";
}

function typical(column: Column): string {
  const numbers = column.values.filter((item): item is number => typeof item === "number" && Number.isFinite(item)).sort((a, b) => a - b);
  return number(numbers[numbers.length >> 1] ?? 1, 3);
}

function quoted(key: string): string {
  return /^[\p{L}\p{N}_.@/:-]+$/u.test(key) ? key : `\`${key}\``;
}
