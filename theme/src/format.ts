/** Numbers, spans and times as people read them; the same forms as site_builder/figures.py presses into pages. */

export const DIGITS = 5;
export const PARAM_DIGITS = 10;
export const MISSING = "–";

const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

/** At most `digits` significant digits, no trailing zeros: `0.97222`, `1.5e-5`, `NaN`, `∞`. */
export function number(value: number | null | undefined, digits = DIGITS): string {
  if (value === null || value === undefined) return MISSING;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  return general(value, digits);
}

function general(value: number, digits: number): string {
  const [mantissa = "0", power = "0"] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= digits) return `${trimmed(mantissa)}e${exponent}`;
  return trimmed(value.toFixed(digits - 1 - exponent));
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A param or tag as text. */
export function value(thing: unknown): string {
  if (typeof thing === "string") return thing;
  if (typeof thing === "number") return number(thing, PARAM_DIGITS);
  if (typeof thing === "boolean") return String(thing);
  return thing === undefined ? "" : "null";
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** A span in at most two units: `340 ms`, `12.3 s`, `4 min 12 s`. */
export function duration(ms: number | null): string {
  if (ms === null) return MISSING;
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 59_950) return `${trimmed((ms / 1_000).toPrecision(3))} s`;
  return twoUnits(Math.max(ms, 60_000));
}

function twoUnits(ms: number): string {
  const index = UNITS.findIndex(([length]) => ms >= length);
  const [length, unit] = UNITS[index]!;
  const [below, name] = UNITS[index + 1]!;
  const parts = Math.floor(ms / below);
  const whole = Math.floor(parts / (length / below));
  const rest = parts % (length / below);
  return rest ? `${count(whole)} ${unit} ${rest} ${name}` : `${count(whole)} ${unit}`;
}

/** `2026-11-23 01:48 UTC`. */
export function date(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? `${ms} ms` : `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** `3 hours ago`, for titles. */
export function relative(ms: number, now = Date.now()): string {
  const past = Math.max(0, now - ms);
  const words: readonly (readonly [number, string])[] = [
    [31_557_600_000, "year"],
    [2_629_800_000, "month"],
    [86_400_000, "day"],
    [3_600_000, "hour"],
    [60_000, "minute"],
  ];
  const found = words.find(([length]) => past >= length);
  if (!found) return "just now";
  const amount = Math.floor(past / found[0]);
  return `${amount} ${found[1]}${amount === 1 ? "" : "s"} ago`;
}

/** A non-finite number travels as text. */
export function toNumber(item: number | string | null | undefined): number | null {
  if (typeof item === "number") return item;
  if (item === "NaN") return NaN;
  if (item === "Infinity") return Infinity;
  return item === "-Infinity" ? -Infinity : null;
}

const LEAST_DIGITS = 3;
const MOST_DECIMALS = 8;

/**
 * How to write all numbers of a column so that digits stand under digits: one number of decimals, as few as tell the values
 * apart and leave three digits of the smallest; where sizes are too far apart for that, each in its own way.
 */
export function columnFormat(values: Iterable<number>): (value: number) => string {
  const finite = [...new Set(values)].filter((item) => Number.isFinite(item));
  const sizes = finite.filter((item) => item !== 0).map(Math.abs);
  const high = sizes.reduce((a, b) => Math.max(a, b), 0);
  const low = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const fewest = LEAST_DIGITS - 1 - magnitude(low);
  if (high >= 1e7 || (fewest > LEAST_DIGITS + 1 && high / low > 1e3) || fewest > MOST_DECIMALS) return (item) => number(item);
  const places = decimalsToTellApart(finite, Math.max(0, fewest), Math.max(0, fewest, DIGITS - 1 - magnitude(high)));
  return (item) => (Number.isFinite(item) ? item.toFixed(places) : number(item));
}

function decimalsToTellApart(values: readonly number[], fewest: number, most: number): number {
  const needed = values.reduce((found, item) => Math.max(found, decimalsOf(number(item))), 0);
  for (let places = Math.min(fewest, needed); places < Math.min(most, needed); places += 1) {
    if (new Set(values.map((item) => item.toFixed(places))).size === values.length) return places;
  }
  return Math.min(most, needed);
}

function magnitude(size: number): number {
  return size > 0 && Number.isFinite(size) ? Math.floor(Math.log10(size)) : 0;
}

/** Decimals of a written number; one with an exponent has as many as there may be. */
function decimalsOf(text: string): number {
  if (text.includes("e")) return MOST_DECIMALS;
  const point = text.indexOf(".");
  return point < 0 ? 0 : text.length - point - 1;
}
