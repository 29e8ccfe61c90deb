import { h, s } from "../dom";
import type { Column, Stat } from "./column";

const NAMES: Record<string, string> = { "run:name": "Run", "run:status": "Status", "run:start": "Started (UTC)", "run:duration": "Duration", "run:experiment": "Experiment" };
const KINDS = { run: "", param: "Parameters", metric: "Metrics", tag: "Tags" } as const;

export function columnName(column: Column): string {
  return NAMES[column.id] ?? column.key;
}

export function isRight(column: Column): boolean {
  return column.id === "run:duration" || (column.kind !== "run" && column.numeric);
}

/** A head whose button sorts; the first of a kind says which kind begins. */
export function headCell(column: Column, first: boolean, stat: Stat): HTMLTableCellElement {
  const goal = column.goal && h("span", { class: "tk-goal", role: "img", "aria-label": column.goal === "maximize" ? "higher is better" : "lower is better" }, column.goal === "maximize" ? "↑" : "↓");
  const arrow = s("svg", { class: "tk-sort", viewBox: "0 0 8 8", width: 8, height: 8, "aria-hidden": "true" }, s("path", { d: "M4 1.5 7 6H1z" }));
  const label = h("span", { class: "tk-head-name" }, columnName(column));
  const button = h("button", { type: "button", title: titleOf(column, stat) }, label, goal, arrow);
  const kind = first && KINDS[column.kind] && h("span", { class: "tk-kind" }, KINDS[column.kind]);
  return h("th", { scope: "col", "data-column": column.id, class: `${isRight(column) ? "tk-n" : ""}${first ? " tk-first" : ""}` }, kind, button);
}

function titleOf(column: Column, stat: Stat): string {
  if (column.kind !== "metric") return `Sort by ${columnName(column)}`;
  const shown = stat === "auto" ? (column.goal ? "best" : "last") : stat;
  return `Sort by ${shown} ${column.key}`;
}
