import { h, plural } from "../dom";
import { date, duration } from "../format";
import { siteUrl } from "../page";
import type { RunChunk } from "../types";
import { type Cell, metricRows, paramRows, type Row, tagRows } from "./model";

export interface TableOptions {
  onlyDifferences: boolean;
  colourOf: (id: string) => string | null;
  remove: (id: string) => void;
}

/** Runs as columns; parameters, metrics and tags as groups of rows. */
export function compareTable(runs: readonly RunChunk[], options: TableOptions): HTMLElement {
  const base = runs.length > 1 ? `differences to ${runs[0]!.name}` : "";
  const groups = [factRows(runs), group("Parameters", paramRows(runs), runs.length, options), group("Metrics", metricRows(runs), runs.length, options, base), group("Tags", tagRows(runs), runs.length, options)];
  const head = h("tr", {}, h("td"), ...runs.map((run) => runHead(run, options)));
  const table = h("table", { class: "tk-table tk-table--compare" }, h("caption", { class: "tk-hidden" }, "Runs side by side"), h("thead", {}, head), ...groups);
  return h("div", { class: "tk-scroll tk-scroll--hinted", tabindex: 0, role: "region", "aria-label": "Runs side by side" }, table);
}

function runHead(run: RunChunk, { colourOf, remove }: TableOptions): HTMLElement {
  const key = h("span", { class: "tk-key" });
  key.style.setProperty("--run", colourOf(run.id) ?? "transparent");
  const close = h("button", { type: "button", class: "tk-remove", "aria-label": `Take ${run.name} out`, title: "Take out" }, "×");
  close.addEventListener("click", () => remove(run.id));
  return h("th", { scope: "col" }, h("span", { class: "tk-compare-head" }, key, h("a", { href: siteUrl(`runs/${run.id}/index.html`) }, run.name), close));
}

function factRows(runs: readonly RunChunk[]): HTMLElement {
  const status = runs.map((run) => h("span", { class: `tk-status tk-status--${run.status.toLowerCase()}` }, run.status.toLowerCase()));
  const experiments = runs.map((run) => h("a", { href: siteUrl(run.experiment.href) }, run.experiment.name));
  const spans = runs.map((run) => (run.end === null ? "" : duration(run.end - run.start)));
  return h("tbody", {}, fact("Experiment", experiments), fact("Status", status), fact("Started", runs.map((run) => date(run.start))), fact("Duration", spans));
}

function fact(name: string, items: (Node | string)[]): HTMLElement {
  return h("tr", {}, h("th", { scope: "row" }, name), ...items.map((item) => h("td", {}, item)));
}

function group(title: string, rows: Row[], columns: number, { onlyDifferences }: TableOptions, about = ""): HTMLElement | null {
  if (!rows.length) return null;
  const shown = onlyDifferences && columns > 1 ? rows.filter((row) => !row.same) : rows;
  const hidden = rows.length - shown.length;
  const notes = [about, hidden > 0 ? `${hidden} ${plural(hidden, "is the same", "are the same")}` : ""].filter(Boolean);
  const note = notes.length > 0 && h("span", { class: "tk-sub" }, notes.join("; "));
  const head = h("tr", { class: "tk-group" }, h("th", { scope: "rowgroup", colspan: columns + 1 }, title, note));
  return h("tbody", {}, head, ...shown.map(rowElement));
}

function rowElement(row: Row): HTMLElement {
  const goal = row.goal && h("span", { class: "tk-goal", role: "img", "aria-label": row.goal === "maximize" ? "higher is better" : "lower is better" }, row.goal === "maximize" ? "↑" : "↓");
  return h("tr", {}, h("th", { scope: "row" }, row.key, goal), ...row.cells.map((cell) => cellElement(cell, row)));
}

function cellElement(cell: Cell, { numeric, prose }: Row): HTMLElement {
  const tone = cell.better === null ? "" : cell.better ? " tk-better" : " tk-worse";
  const word = cell.better === null ? "" : cell.better ? " better" : " worse";
  const delta = cell.delta && h("span", { class: `tk-delta${tone}` }, cell.delta, word);
  const best = cell.best && h("span", { class: "tk-best-mark" }, "best");
  return h("td", { class: `${numeric ? "tk-value" : prose ? "tk-note" : ""}${cell.best ? " tk-best" : ""}`, title: cell.note || null }, cell.text, best, delta);
}
