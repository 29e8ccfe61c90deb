/** Series as they are drawn: points over steps or time, smoothed or not, on a linear or a logarithmic axis. */
import { COLOURS } from "../colours";
import { toNumber } from "../format";
import type { RunSeries } from "../types";
import type { Datum } from "./bundle";

export interface Line {
  label: string;
  href?: string;
  /** Place in the order of colours. */
  slot: number;
  x: number[];
  y: number[];
  /** Points logged, of which these are some. */
  total: number;
}

export type XAxis = "step" | "time";

const UNITS: readonly (readonly [number, string])[] = [
  [2 * 86_400_000, "d"],
  [2 * 3_600_000, "h"],
  [2 * 60_000, "min"],
  [0, "s"],
];
const LENGTH: Record<string, number> = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000 };

export function lineOf(series: RunSeries, label: string, slot: number, axis: XAxis, unit: string, href?: string): Line {
  const x = axis === "step" ? series.step : series.time.map((ms) => ms / LENGTH[unit]!);
  const line = { label, slot, x, y: series.value.map((item) => toNumber(item) ?? NaN), total: series.total };
  return href ? { ...line, href } : line;
}

/** The unit in which the longest of the series is a readable number. */
export function timeUnit(series: readonly RunSeries[]): string {
  const longest = Math.max(0, ...series.map((item) => item.time.at(-1) ?? 0));
  return UNITS.find(([from]) => longest >= from)![1];
}

/** The exponential moving average, with the weight of the missing past taken out; what is not finite is passed over. */
export function smoothed(values: readonly number[], weight: number): number[] {
  let sum = 0;
  let seen = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return NaN;
    seen += 1;
    sum = weight * sum + (1 - weight) * value;
    return sum / (1 - weight ** seen);
  });
}

export interface CurveData {
  points: Datum[];
  smooth: Datum[];
  marks: Datum[];
  /** Points of which no line can be drawn, for they are the only ones. */
  lone: Datum[];
}

export function curveData(lines: readonly Line[], smoothing: number, log: boolean): CurveData {
  const drawn = (value: number) => Number.isFinite(value) && (!log || value > 0);
  const data: CurveData = { points: [], smooth: [], marks: [], lone: [] };
  const gap = widthOf(lines) / MOST_MARKS;
  lines.forEach((line, index) => {
    let marked = -Infinity;
    const before = data.points.length;
    const common = { series: line.slot % COLOURS, dash: Math.floor(line.slot / COLOURS) % 4, label: String(index) };
    line.x.forEach((x, at) => {
      const y = line.y[at]!;
      if (drawn(y)) data.points.push({ x, y, ...common });
      else if (!Number.isFinite(y) && isApart(marked, x, gap)) data.marks.push({ x: (marked = x), ...common });
    });
    if (data.points.length === before + 1) data.lone.push(data.points[before]!);
    if (smoothing > 0) smoothed(line.y, smoothing).forEach((y, at) => drawn(y) && data.smooth.push({ x: line.x[at]!, y, ...common }));
  });
  return data;
}

/** So many marks of points that are not finite find room side by side. */
const MOST_MARKS = 32;

function isApart(before: number, x: number, gap: number): boolean {
  return x - before >= gap;
}

function widthOf(lines: readonly Line[]): number {
  return Math.max(...lines.map((line) => line.x.at(-1) ?? 0)) - Math.min(...lines.map((line) => line.x[0] ?? 0));
}

/** The place of the value nearest to `wanted` in a sorted list; -1 in an empty one. */
export function nearest(sorted: readonly number[], wanted: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low > 0 && wanted - sorted[low - 1]! < sorted[low]! - wanted ? low - 1 : low < sorted.length ? low : -1;
}
