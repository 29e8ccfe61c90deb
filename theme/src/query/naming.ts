/** From tokens to the field that they name. */
import type { Cursor } from "./cursor";
import { didYouMean } from "./error";
import { ATTRIBUTES, FUNCTIONS, PREFIXES, TAG_ATTRIBUTES } from "./fields";
import type { Family, Field, Fold } from "./nodes";
import type { Token } from "./tokens";

const FAMILIES = ["metrics.<key>", "params.<key>", "tags.<key>"];

/** Whether the next word begins a comparison, rather than being a text to find. */
export function startsField(cursor: Cursor): boolean {
  const { family } = splitPrefix(cursor.token);
  return (
    cursor.token.kind === "key" ||
    cursor.atOperator(1) ||
    callsFunction(cursor) ||
    quotesKey(cursor) ||
    (family !== undefined && family !== "attribute")
  );
}

/** The field that comes next. Throws QueryError for a name that does not exist. */
export function readField(cursor: Cursor): Field {
  if (cursor.token.kind !== "word" && cursor.token.kind !== "key") cursor.surprise("a field such as metrics.acc");
  if (callsFunction(cursor)) return readFunction(cursor);
  const quoted = quotesKey(cursor);
  const token = cursor.advance();
  const { family, key: unquoted } = splitPrefix(token);
  const key = quoted ? cursor.advance().text : unquoted;
  if (family === undefined) return attribute(cursor, token, token.text);
  if (family === "attribute") return attribute(cursor, token, key);
  if (!key) cursor.fail(`'${token.text}' names no key`, `a key right after it, such as ${token.text}name`, token);
  const alias = family === "tag" ? TAG_ATTRIBUTES.get(key) : undefined;
  return alias ? { family: "attribute", key: alias, fold: "last" } : { family, key, fold: "last" };
}

/** The family that a word's prefix names, if it does, and the rest of the word. */
export function splitPrefix(token: Token): { family: Family | undefined; key: string } {
  const dot = token.kind === "word" ? token.text.indexOf(".") : -1;
  if (dot < 0) return { family: undefined, key: "" };
  return { family: PREFIXES.get(token.text.slice(0, dot).toLowerCase()), key: token.text.slice(dot + 1) };
}

function callsFunction(cursor: Cursor): boolean {
  return cursor.token.kind === "word" && cursor.atMark("(", 1) && cursor.adjacent();
}

/** Whether a bare prefix is next, and right behind it a key in quotes, as in metrics.`my key`. */
function quotesKey(cursor: Cursor): boolean {
  const { family, key } = splitPrefix(cursor.token);
  return family !== undefined && !key && cursor.adjacent() && ["string", "key"].includes(cursor.peek(1).kind);
}

function attribute(cursor: Cursor, token: Token, name: string): Field {
  const found = ATTRIBUTES.get(name.toLowerCase());
  if (found) return { family: "attribute", key: found, fold: "last" };
  return cursor.fail(`there is no attribute '${name}'.${hint(name)}`, `one of ${[...ATTRIBUTES.keys(), ...FAMILIES].join(", ")}`, token);
}

function hint(name: string): string {
  const dot = name.indexOf(".");
  const prefix = name.slice(0, Math.max(dot, 0)).toLowerCase();
  if (prefix === "dataset" || prefix === "datasets") return " Datasets cannot be searched.";
  if (dot >= 0) return didYouMean(prefix, PREFIXES.keys());
  return didYouMean(name.toLowerCase(), ATTRIBUTES.keys()) || ` Did you mean metrics.${name} or params.${name}?`;
}

function readFunction(cursor: Cursor): Field {
  const name = cursor.token.text.toLowerCase();
  const fold: Fold | undefined = FUNCTIONS.find((known) => known === name);
  if (!fold) {
    const known = `one of ${FUNCTIONS.join(", ")}; a text with parentheses needs quotes`;
    return cursor.fail(`there is no function '${cursor.token.text}'.${didYouMean(name, FUNCTIONS)}`, known);
  }
  cursor.advance();
  cursor.expect("(");
  const argument = cursor.token;
  const field = callsFunction(cursor) ? undefined : readField(cursor);
  if (field?.family !== "metric") return cursor.fail(`${name}() takes a metric`, "a metric such as metrics.acc", argument);
  cursor.expect(")");
  return { ...field, fold };
}
