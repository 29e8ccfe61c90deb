/** Direct labels: the name of a line stands at its end, moved up or down where names would touch. */
import { COLOURS } from "../colours";
import type { Datum, Spec } from "./bundle";
import type { Line } from "./lines";

export const MOST_LABELS = 5;
const LINE_PX = 13;
const PLOT_PX = 208;
const MOST_CHARACTERS = 16;

/** Where each line ends, with ends that are too close pushed apart; positions go through `scale` (identity or log). */
export function endLabels(lines: readonly Line[], values: readonly (readonly number[])[], log: boolean): Datum[] {
  const scale = log ? Math.log : (y: number) => y;
  const back = log ? Math.exp : (y: number) => y;
  const drawn = values.map((list) => list.filter((y) => Number.isFinite(y) && (!log || y > 0)).map(scale));
  const all = drawn.flat();
  const low = Math.min(...all);
  const unit = (Math.max(...all) - low || 1) / PLOT_PX;
  const ends = lines.flatMap((line, index) => (drawn[index]!.length ? [{ line, y: (drawn[index]!.at(-1)! - low) / unit }] : []));
  spread(ends);
  return ends.map(({ line, y }) => ({ x: line.x.at(-1), y: back(low + y * unit), series: line.slot % COLOURS, label: `end of ${line.label}`, text: shortened(line.label) }));
}

/** From the lowest up, each at least a line's height above the one before; then back down if the top is left. */
export function spread(ends: { y: number }[]): void {
  const order = [...ends].sort((a, b) => a.y - b.y);
  order.forEach((end, index) => index > 0 && (end.y = Math.max(end.y, order[index - 1]!.y + LINE_PX)));
  let top = PLOT_PX;
  for (const end of order.reverse()) {
    end.y = Math.min(end.y, top);
    top = end.y - LINE_PX;
  }
}

/** The specification with a layer for the labels; the plot makes room for them by itself. */
export function withLabels(spec: Spec): Spec {
  const layer = { data: { name: "labels" }, mark: { type: "text", align: "left", dx: 5, fontSize: 11, clip: false, aria: false }, encoding: { text: { field: "text", type: "nominal" } } };
  return { ...spec, layer: [...(spec["layer"] as unknown[]), layer] };
}

/** Names of runs differ at their ends more often than at their beginnings. */
function shortened(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, 5)}…${text.slice(-(MOST_CHARACTERS - 6))}` : text;
}
