/** Runs side by side: a row for each parameter and metric, pure, so that it can be tested without a page. */
import { number, toNumber, value } from "../format";
import type { Goal, ParamValue, RunChunk } from "../types";

export interface Cell {
  text: string;
  /** The best of its row along the goal; ties are all best. */
  best: boolean;
  /** Difference to the first run, with its sign; "" where there is none. */
  delta: string;
  /** Whether that difference is for the better; null without a goal or a difference. */
  better: boolean | null;
  note: string;
}

export interface Row {
  key: string;
  goal: Goal;
  numeric: boolean;
  /** Sentences, which are broken into lines. */
  prose?: boolean;
  same: boolean;
  cells: Cell[];
}

/** Where MLflow and tracker keep the description of a run. */
const NOTE = "mlflow.note.content";

export function paramRows(runs: readonly RunChunk[]): Row[] {
  return keysOf(runs, (run) => run.params.key).map((key) => textRow(key, runs.map((run) => lookUp(run.params, key))));
}

/** The tags; what a person wrote about the run comes last. */
export function tagRows(runs: readonly RunChunk[]): Row[] {
  const keys = keysOf(runs, (run) => run.tags.key);
  const ordered = keys.filter((key) => key !== NOTE).concat(keys.filter((key) => key === NOTE));
  return ordered.map((key) => ({ ...textRow(key, runs.map((run) => lookUp(run.tags, key))), ...(key === NOTE ? { key: "Note", prose: true } : {}) }));
}

/** Best where there is a goal, last otherwise. */
export function metricRows(runs: readonly RunChunk[]): Row[] {
  return keysOf(runs, (run) => run.metrics.key).map((key) => metricRow(key, runs));
}

function keysOf(runs: readonly RunChunk[], keys: (run: RunChunk) => string[]): string[] {
  return [...new Set(runs.flatMap(keys))];
}

function lookUp(table: { key: string[]; value: ParamValue[] }, key: string): ParamValue | undefined {
  const at = table.key.indexOf(key);
  return at < 0 ? undefined : table.value[at];
}

function textRow(key: string, items: (ParamValue | undefined)[]): Row {
  const cells = items.map((item) => plainCell(item === undefined || item === null ? "" : typeof item === "object" ? "null" : value(toNumber(item as number) ?? item)));
  const numeric = items.every((item) => item === undefined || item === null || typeof item === "number");
  return { key, goal: null, numeric, same: isSame(cells), cells };
}

function metricRow(key: string, runs: readonly RunChunk[]): Row {
  const places = runs.map((run) => run.metrics.key.indexOf(key));
  const goal = runs.map((run, index) => run.metrics.goal[places[index]!] ?? null).find(Boolean) ?? null;
  const values = runs.map((run, index) => toNumber((goal ? run.metrics.best : run.metrics.last)[places[index]!]));
  const steps = runs.map((run, index) => (goal ? run.metrics.best_step : run.metrics.last_step)[places[index]!]);
  const best = bestOf(values, goal);
  const base = values[0] ?? null;
  const cells = values.map((item, index): Cell => {
    if (item === null) return plainCell("");
    const count = runs[index]!.metrics.count[places[index]!] ?? 0;
    const note = count > 1 ? `step ${steps[index] ?? 0}` : "";
    return { text: number(item), best: best !== null && item === best, note, ...difference(index === 0 ? null : base, item, goal) };
  });
  return { key, goal, numeric: true, same: isSame(cells), cells };
}

function bestOf(values: readonly (number | null)[], goal: Goal): number | null {
  const finite = values.filter((item): item is number => item !== null && Number.isFinite(item));
  if (!goal || new Set(finite).size < 2) return null;
  return goal === "maximize" ? Math.max(...finite) : Math.min(...finite);
}

function difference(base: number | null, item: number, goal: Goal): { delta: string; better: boolean | null } {
  if (base === null || !Number.isFinite(base) || !Number.isFinite(item) || item === base) return { delta: "", better: null };
  const sign = item > base ? "+" : "−";
  return { delta: `${sign}${number(Math.abs(item - base))}`, better: goal ? (goal === "maximize") === item > base : null };
}

function plainCell(text: string): Cell {
  return { text, best: false, delta: "", better: null, note: "" };
}

function isSame(cells: readonly Cell[]): boolean {
  return cells.every((cell) => cell.text === cells[0]?.text);
}
