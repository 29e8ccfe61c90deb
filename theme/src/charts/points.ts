/** Runs as loose points: best so far over time, and a metric against a parameter. */
import { plural } from "../dom";
import { count, date, duration, number } from "../format";
import { siteUrl } from "../page";
import type { RunsData } from "../runs/data";
import type { Datum, Spec } from "./bundle";
import type { Content } from "./figure";
import type { Reading, Spot } from "./reader";
import { OWN_LOOKS, withAxes } from "./spec";

export interface Point extends Datum {
  x: number;
  y: number;
  id: string;
  label: string;
  status: string;
  colour: string;
  /** Drawn even where there are too many to draw them all. */
  kept: boolean;
}

type ColourOf = (id: string) => string | null;
const QUIET = "var(--tk-control)";
const CLOSE = 24;
const MOST_POINTS = 1_000;
const TIMES: readonly (readonly [number, string])[] = [
  [600_000, "%H:%M:%S"],
  [86_400_000, "%H:%M"],
  [4 * 86_400_000, "%d %b %H:%M"],
  [Infinity, "%d %b %Y"],
];

export function progress(spec: Spec, data: RunsData, rows: readonly number[], metric: string, colourOf: ColourOf): Content | null {
  const byStart = [...rows].sort((a, b) => data.start[a]! - data.start[b]!);
  const points = pointsOf(data, byStart, "run:start", `metric:${metric}`, colourOf);
  const { goal } = data.column(`metric:${metric}`);
  if (points.length < 2 || !goal) return null;
  const better = goal === "maximize" ? Math.max : Math.min;
  let best = points[0]!.y;
  for (const point of points) {
    point.kept ||= best !== better(best, point.y);
    point["best"] = best = better(best, point.y);
  }
  const drawn = withAxes(spec, { x: "start of the run", y: null });
  timeLabels(drawn, points.at(-1)!.x - points[0]!.x);
  colourLayer(drawn);
  return content(drawn, points, ["start", metric], date);
}

export function scatter(spec: Spec, data: RunsData, rows: readonly number[], x: string, metric: string, colourOf: ColourOf): Content | null {
  const column = data.column(x);
  const points = pointsOf(data, rows, x, `metric:${metric}`, colourOf);
  if (points.length < 2) return null;
  const values = points.map((point) => point.x);
  const log = Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= 50;
  const unit = x === "run:duration" ? "duration (s)" : column.key;
  const axes = { x: log ? `${unit}, log scale` : unit, y: null, xScale: log ? "log" : "linear" } as const;
  return content(withAxes(spec, axes, OWN_LOOKS), points, [unit, metric], x === "run:duration" ? (item) => duration(Math.round(item * 1000)) : (item) => number(item));
}

/** Clock times for short spans, dates for long ones. */
function timeLabels(spec: Spec, span: number): void {
  const { x } = spec["encoding"] as { x: { axis?: Record<string, unknown> } };
  const [, format] = TIMES.find(([below]) => span < below)!;
  x.axis = { ...x.axis, format };
}

/** Only the loose points take the colours of runs; the line of the best keeps its own. */
function colourLayer(spec: Spec): void {
  const [points] = spec["layer"] as { encoding?: Record<string, unknown> }[];
  if (points) points.encoding = { ...points.encoding, ...OWN_LOOKS };
}

function pointsOf(data: RunsData, rows: readonly number[], x: string, y: string, colourOf: ColourOf): Point[] {
  const xs = data.column(x).values;
  const ys = data.column(y).values;
  const scale = x === "run:duration" ? 1000 : 1;
  return rows.flatMap((row) => {
    const [left, top] = [xs[row], ys[row]];
    if (typeof left !== "number" || typeof top !== "number" || !Number.isFinite(left) || !Number.isFinite(top)) return [];
    const id = data.id[row]!;
    const look = lookOf(colourOf(id));
    return [{ x: left / scale, y: top, id, label: data.name[row]!, status: data.status[row]!, ...look }];
  });
}

/** Runs that are drawn as curves too stand out from the others. */
function lookOf(colour: string | null): { colour: string; opacity: number; size: number; kept: boolean } {
  return colour ? { colour, opacity: 1, size: 60, kept: true } : { colour: QUIET, opacity: 0.55, size: 28, kept: false };
}

/** At most about a thousand points: every n-th, and those that must not be missing. */
function thinned(points: Point[]): Point[] {
  const every = Math.ceil(points.length / MOST_POINTS);
  return every < 2 ? points : points.filter((point, index) => point.kept || index % every === 0 || index === points.length - 1);
}

function content(spec: Spec, all: Point[], [xName, yName]: [string, string], write: (x: number) => string): Content {
  const points = thinned(all);
  return {
    spec,
    data: { points },
    note: points.length < all.length ? `${count(points.length)} of ${count(all.length)} runs` : `${count(all.length)} ${plural(all.length, "run")}`,
    reading: reading(points, xName, yName, write),
    table: () => ({ head: ["run", xName, yName], rows: all.map((point) => [point.label, write(point.x), point.y]) }),
    legend: [],
  };
}

function reading(points: Point[], xName: string, yName: string, write: (x: number) => string): Reading {
  const sorted = [...points].sort((a, b) => a.x - b.x);
  return {
    at(x, pixelY, scales) {
      const near = Number.isNaN(pixelY) ? sorted.find((point) => point.x === x) : closest(points, scales.x(x), pixelY, scales);
      return near ? spotOf(near, xName, yName, write) : null;
    },
    next(from, direction) {
      const found = direction > 0 ? sorted.find((point) => point.x > from) : sorted.findLast((point) => point.x < from);
      return found ? found.x : null;
    },
  };
}

function closest(points: readonly Point[], x: number, y: number, scales: { x(value: number): number; y(value: number): number }): Point | null {
  let found: Point | null = null;
  let least = CLOSE * CLOSE;
  for (const point of points) {
    const distance = (scales.x(point.x) - x) ** 2 + (scales.y(point.y) - y) ** 2;
    if (distance < least) [found, least] = [point, distance];
  }
  return found;
}

function spotOf(point: Point, xName: string, yName: string, write: (x: number) => string): Spot {
  const values = [
    { label: xName, value: write(point.x), colour: "transparent" },
    { label: yName, value: number(point.y), colour: point.colour },
  ];
  return { x: point.x, dots: [{ y: point.y, colour: point.colour }], title: point.label, values, href: siteUrl(`runs/${point.id}/index.html`) };
}
