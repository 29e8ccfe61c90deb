/** Metrics over steps or time: of one run, or of several over each other. */
import { COLOURS, cssColour } from "../colours";
import { count, number } from "../format";
import type { Spec } from "./bundle";
import type { Content, Table } from "./figure";
import { endLabels, MOST_LABELS, withLabels } from "./labels";
import { curveData, type Line, nearest, smoothed, type XAxis } from "./lines";
import type { Reading, Spot } from "./reader";
import { type Axes, DASHED, withAxes, withFaintPoints } from "./spec";

export interface CurveOptions {
  smoothing: number;
  log: boolean;
  axis: XAxis;
  unit: string;
  yTitle: string | null;
}

export function curves(spec: Spec, lines: Line[], options: CurveOptions): Content | null {
  const points = lines.filter((line) => line.x.length > 1);
  if (!points.length) return null;
  const log = options.log && points.some((line) => line.y.some((y) => y > 0));
  const title = options.axis === "step" ? "step" : `time (${options.unit})`;
  const axes: Axes = { x: title, y: options.yTitle, yScale: log ? "log" : "linear", xWhole: options.axis === "step", ...flatDomain(points) };
  const dashes = points.some((line) => line.slot >= COLOURS) ? DASHED : {};
  const labels = points.length > 1 && points.length <= MOST_LABELS ? endLabels(points, shownValues(points, options.smoothing), log) : [];
  const drawn = withFaintPoints(withAxes(spec, axes, dashes), options.smoothing > 0);
  return {
    spec: labels.length ? withLabels(drawn) : drawn,
    data: { ...curveData(points, options.smoothing, log), ...(labels.length ? { labels } : {}) },
    note: noteOf(points, log),
    reading: reading(points, options),
    table: () => table(points, title),
    legend: points.length > MOST_LABELS ? points.map((line) => ({ label: line.label, colour: cssColour(line.slot), href: line.href, dashed: line.slot >= COLOURS })) : [],
  };
}

/** Where all values are the same, an axis around them. */
function flatDomain(lines: readonly Line[]): Pick<Axes, "yDomain"> {
  const values = new Set(lines.flatMap((line) => line.y.filter(Number.isFinite)));
  const [value] = values;
  if (values.size !== 1 || value === undefined) return {};
  const room = Math.abs(value) / 10 || 1;
  return { yDomain: [value - room, value + room] };
}

function shownValues(lines: readonly Line[], smoothing: number): number[][] {
  return lines.map((line) => (smoothing > 0 ? smoothed(line.y, smoothing) : line.y));
}

function noteOf(lines: readonly Line[], log: boolean): string {
  const shown = sum(lines.map((line) => line.x.length));
  const total = sum(lines.map((line) => line.total));
  const odd = sum(lines.map((line) => line.y.filter((y) => !Number.isFinite(y)).length));
  const below = log ? sum(lines.map((line) => line.y.filter((y) => y <= 0).length)) : 0;
  const notes = [
    total > shown ? `${count(shown)} of ${count(total)} points, extremes kept` : `${count(total)} points`,
    odd ? `▲ ${count(odd)} not finite` : "",
    below ? `${count(below)} at or below 0 have no place on a log axis` : "",
  ];
  return notes.filter(Boolean).join("; ");
}

function reading(lines: readonly Line[], { smoothing, axis, unit }: CurveOptions): Reading {
  const xs = [...new Set(lines.flatMap((line) => line.x))].sort((a, b) => a - b);
  const smooth = shownValues(lines, smoothing);
  return {
    at(wanted) {
      const x = xs[nearest(xs, wanted)];
      if (x === undefined) return null;
      const spot: Spot = { x, dots: [], title: axis === "step" ? `step ${count(x)}` : `${number(x, 4)} ${unit}`, values: [] };
      lines.forEach((line, index) => addValue(spot, line, smooth[index]!));
      // In the order in which the lines lie above each other.
      spot.values.sort((a, b) => (b.y || 0) - (a.y || 0));
      return spot;
    },
    next(from, direction) {
      const at = direction > 0 ? xs.findIndex((x) => x > from) : xs.findLastIndex((x) => x < from);
      return xs[at] ?? null;
    },
  };
}

function addValue(spot: Spot, line: Line, smooth: readonly number[]): void {
  const at = nearest(line.x, spot.x);
  const [first = 0, last = 0] = [line.x[0], line.x.at(-1)];
  if (at < 0 || spot.x < first || spot.x > last) return;
  const colour = cssColour(line.slot);
  const raw = line.y[at]!;
  const value = smooth === line.y ? number(raw) : `${number(smooth[at])} (${number(raw)})`;
  spot.values.push({ label: line.label, value, colour, y: smooth[at]! });
  if (Number.isFinite(smooth[at]) && line.x[at] === spot.x) spot.dots.push({ y: smooth[at]!, colour });
}

function table(lines: readonly Line[], title: string): Table {
  const rows = new Map<number, unknown[]>();
  lines.forEach((line, index) => {
    line.x.forEach((x, at) => {
      const row = rows.get(x) ?? [x, ...lines.map(() => null)];
      row[index + 1] = Number.isFinite(line.y[at]) ? line.y[at] : number(line.y[at]);
      rows.set(x, row);
    });
  });
  return { head: [title, ...lines.map((line) => line.label)], rows: [...rows.values()].sort((a, b) => Number(a[0]) - Number(b[0])) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, item) => total + item, 0);
}
