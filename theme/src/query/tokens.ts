/** A query's text as tokens. */
import { QueryError } from "./error";

export type Kind = "word" | "string" | "key" | "operator" | "mark" | "end";

export interface Token {
  /** "string" stood in single or double quotes, "key" in backticks. */
  readonly kind: Kind;
  /** Without its quotes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** The word in upper case; "" for anything else, so that quoted words are never keywords. */
  readonly keyword: string;
}

const SPACE = String.raw`\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;
const TOKEN = new RegExp(
  [
    `(?<space>[${SPACE}]+)`,
    String.raw`(?<string>'(?:[^']|'')*'(?!')|"(?:[^"]|"")*"(?!"))`,
    "(?<key>`(?:[^`]|``)*`(?!`))",
    "(?<operator>==|!=|<>|<=|>=|=|<|>)",
    "(?<mark>[(),])",
    `(?<word>[^${SPACE}'"\`=<>!(),]+)`,
  ].join("|"),
  "y",
);
const OTHER_SPELLINGS: ReadonlyMap<string, string> = new Map([
  ["&&", "AND"],
  ["&", "AND"],
  ["||", "OR"],
  ["|", "OR"],
  ["!", "NOT, or != between a field and a value"],
]);

/** All tokens, an "end" last. Throws QueryError for a quote that is not closed and for foreign operators. */
export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  while (position < query.length) {
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(query);
    if (!match?.groups) throw unreadable(query, position);
    const [kind, raw] = Object.entries(match.groups).find(([, found]) => found !== undefined) as [string, string];
    if (kind !== "space") tokens.push(token(kind as Kind, raw, position, query));
    position += raw.length;
  }
  return [...tokens, { kind: "end", text: "", start: position, end: position, keyword: "" }];
}

function token(kind: Kind, raw: string, start: number, query: string): Token {
  if (OTHER_SPELLINGS.has(raw)) throw foreign(query, start, raw);
  const mark = raw[0]!;
  const text = kind === "string" || kind === "key" ? raw.slice(1, -1).replaceAll(mark + mark, mark) : raw;
  return { kind, text, start, end: start + raw.length, keyword: kind === "word" ? text.toUpperCase() : "" };
}

function unreadable(query: string, position: number): QueryError {
  const mark = query[position]!;
  if (OTHER_SPELLINGS.has(mark)) return foreign(query, position, mark);
  return new QueryError("a quote is not closed", query, position, `another ${mark} after it; within quotes, ${mark}${mark} stands for one ${mark}`);
}

function foreign(query: string, position: number, mark: string): QueryError {
  return new QueryError(`${mark} is not an operator here`, query, position, OTHER_SPELLINGS.get(mark) ?? "");
}
