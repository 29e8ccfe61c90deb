/** The values that stand in a query: numbers, durations, dates, truth values, text. */
import { STATUSES, type Kind } from "./fields";
import type { Literal } from "./nodes";
import type { Token } from "./tokens";

const NUMBER = String.raw`[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?`;
const NUMBER_ONLY = new RegExp(`^${NUMBER}$`);
const LOOKS_NUMERIC = /^[+-]?\.?[0-9]/;
const NONFINITE = /^([+-]?)(nan|inf|infinity)$/i;
const SPAN = new RegExp(`^(${NUMBER})(ms|s|m|h|d|w)$`);
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const HOUR = "(?:[01][0-9]|2[0-3])";
const DATE = new RegExp(
  `^(?<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ](?<time>${HOUR}:[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]{1,6})?)?)(?<zone>Z|[+-]${HOUR}:[0-5][0-9])?)?$`,
);

export const EXPECTED: Readonly<Record<Kind, string>> = {
  number: "a number",
  typed: "a number, true, false or text in quotes",
  text: "text in quotes",
  status: `one of ${STATUSES.join(", ")}`,
  time: "milliseconds, a date such as '2025-01-31' or '2025-01-31T12:00', or a time ago such as -7d",
  duration: "seconds, or a duration such as 90s, 5m, 2h or 1d",
};

/** The number that a text is written as (`1e-3`, `-.5`), else undefined. ASCII digits only; no NaN or infinity. */
export function toNumber(text: string): number | undefined {
  return NUMBER_ONLY.test(text) ? Number(text) : undefined;
}

/** The value in the unit of its field; undefined when it is none. `now` is in UTC milliseconds. */
export function readValue(kind: Kind, token: Token, now: number): Literal | undefined {
  const quoted = token.kind === "string";
  switch (kind) {
    case "number":
      return quoted ? undefined : number(token.text);
    case "typed":
      return quoted ? token.text : typed(token.text);
    case "text":
      return token.text;
    case "status":
      return STATUSES.find((status) => status === token.text.toUpperCase());
    case "time":
      return quoted ? date(token.text) : time(token.text, now);
    case "duration":
      return duration(token.text);
  }
}

function number(text: string): number | undefined {
  const match = NONFINITE.exec(text);
  if (!match) return toNumber(text);
  return match[2]!.toLowerCase() === "nan" ? NaN : match[1] === "-" ? -Infinity : Infinity;
}

function typed(text: string): Literal | undefined {
  const found = number(text);
  if (found !== undefined) return found;
  const word = text.toLowerCase();
  if (word === "true" || word === "false") return word === "true";
  return word === "null" || word === "none" || LOOKS_NUMERIC.test(text) ? undefined : text;
}

function time(text: string, now: number): number | undefined {
  if (!text.startsWith("-")) return toNumber(text) ?? date(text);
  const ago = span(text);
  return ago === undefined ? undefined : now + ago;
}

/** UTC milliseconds; without a zone the time is UTC. */
function date(text: string): number | undefined {
  const { day, time = "00:00", zone = "Z" } = DATE.exec(text)?.groups ?? {};
  if (!day || day.startsWith("0000") || !exists(day)) return undefined;
  return Date.parse(`${day}T${time}${zone}`);
}

/** Whether the calendar has the day; JavaScript would take 30 February for 2 March. */
function exists(day: string): boolean {
  const moment = new Date(`${day}T00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(day);
}

function duration(text: string): number | undefined {
  const seconds = toNumber(text);
  return seconds === undefined ? span(text) : seconds * 1000;
}

/** Milliseconds of `90s`, `1.5h` and so on. */
function span(text: string): number | undefined {
  const match = SPAN.exec(text);
  return match ? Number(match[1]) * UNIT_MS[match[2]!]! : undefined;
}
