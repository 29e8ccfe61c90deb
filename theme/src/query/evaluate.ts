/** A query as a function that says whether a row matches. */
import { toNumber } from "./literals";
import type { Compare, Field, Literal, Node } from "./nodes";
import { parse } from "./parse";
import { compareText, like, textOf } from "./text";

export { QueryError } from "./error";

/** null is a param that was logged as None, undefined a field that the row does not have. */
export type Value = number | string | boolean | null | undefined;

/** Where values come from. A getter is asked for once in a query, then called for each row. */
export interface Source<Row> {
  /** Numbers may be NaN and infinite; times and durations are milliseconds, a status is its word. */
  getter(field: Field): (row: Row) => Value;
  /** Whether a lower-case text occurs in the row's name, params, tags and notes, or begins its id. */
  finder(text: string): (row: Row) => boolean;
}

export type Predicate<Row> = (row: Row) => boolean;
type Test = (value: Exclude<Value, undefined>) => boolean;

/** Whether a row matches the query; an empty query matches all. Throws QueryError for a mistake in it. */
export function compile<Row>(query: string, source: Source<Row>, now = Date.now()): Predicate<Row> {
  return compileNode(parse(query, now), source);
}

function compileNode<Row>(node: Node, source: Source<Row>): Predicate<Row> {
  if (node.type === "compare") return comparison(node, source);
  if (node.type === "text") return source.finder(node.text.toLowerCase());
  if (node.type === "not") {
    const item = compileNode(node.item, source);
    return (row) => !item(row);
  }
  const cheapFirst = [...node.items].sort((a, b) => Number(a.type === "text") - Number(b.type === "text"));
  const items = cheapFirst.map((item) => compileNode(item, source));
  return node.type === "and" ? (row) => items.every((item) => item(row)) : (row) => items.some((item) => item(row));
}

function comparison<Row>(node: Compare, source: Source<Row>): Predicate<Row> {
  const get = source.getter(node.field);
  const { negated } = node;
  if (node.operator === "null") return (row) => (get(row) ?? null) === null !== negated;
  const test = testOf(node);
  return (row) => {
    const value = get(row);
    return value !== undefined && test(value) !== negated;
  };
}

/** What a value that is there must fulfil. */
function testOf(node: Compare): Test {
  const [first, second] = node.values;
  switch (node.operator) {
    case "in":
      return member(node.values);
    case "between": {
      const above = ordered(">=", first!);
      const below = ordered("<=", second!);
      return (value) => above(value) && below(value);
    }
    case "like": {
      const matches = like(String(first));
      return (value) => matches(textOf(value));
    }
    case "ilike": {
      const matches = like(String(first).toLowerCase());
      return (value) => matches(textOf(value).toLowerCase());
    }
  }
  return ordered(node.operator, first!);
}

/** Numbers compare by value, everything else by MLflow's text of it. */
function member(values: readonly Literal[]): Test {
  const texts = new Set<string>();
  const bools = new Set<string>();
  const numbers = new Set<number | undefined>();
  const quoted = new Set<number>();
  for (const value of values) {
    if (typeof value === "number") numbers.add(value);
    else if (typeof value === "boolean") bools.add(String(value));
    else addText(value, texts, quoted);
  }
  return (value) => {
    const text = textOf(value);
    if (typeof value === "number") return numbers.has(value) || quoted.has(value) || texts.has(text);
    if (texts.has(text) || bools.has(text.toLowerCase())) return true;
    return typeof value === "string" && numbers.has(toNumber(value));
  };
}

function addText(text: string, texts: Set<string>, quoted: Set<number>): void {
  texts.add(text);
  const number = toNumber(text);
  if (number !== undefined) quoted.add(number);
}

/** Text is ordered among text, numbers among numbers (also those written as text), and nothing across. */
function ordered(operator: string, bound: Literal): Test {
  const holds = ORDERS[operator]!;
  if (typeof bound === "string") return (value) => typeof value === "string" && holds(compareText(value, bound), 0);
  const limit = Number(bound);
  return (value) => {
    const number = typeof value === "string" ? toNumber(value) : value;
    return typeof number === "number" && holds(number, limit);
  };
}

const ORDERS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};
