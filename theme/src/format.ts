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

/** A space as wide as a digit, and one as wide as a point. */
const DIGIT_SPACE = "\u2007";
const POINT_SPACE = "\u2008";

/** How to write the numbers of a column: each as everywhere else, with room behind it so that point stands under point. */
export function columnFormat(values: Iterable<number>): (value: number) => string {
  let widest = 0;
  for (const item of values) widest = Math.max(widest, behindPoint(number(item)));
  return (item) => {
    const text = number(item);
    const behind = behindPoint(text);
    const point = widest > 0 && behind === 0 ? POINT_SPACE : "";
    return Number.isFinite(item) && !text.includes("e") ? `${text}${point}${DIGIT_SPACE.repeat(Math.max(0, widest - behind))}` : text;
  };
}

/** How many digits stand behind the point; powers of ten are not aligned by it. */
function behindPoint(text: string): number {
  if (text.includes("e")) return 0;
  const point = text.indexOf(".");
  return point < 0 ? 0 : text.length - point - 1;
}
