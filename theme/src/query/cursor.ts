/** A place in a list of tokens, and the errors that point at it. */
import { QueryError } from "./error";
import { tokenize, type Token } from "./tokens";

export const NEGATABLE = ["IN", "BETWEEN", "LIKE", "ILIKE"];
const WORD_OPERATORS = [...NEGATABLE, "IS"];
export const KEYWORDS = [...WORD_OPERATORS, "AND", "OR", "NOT", "NULL"];

export class Cursor {
  private readonly tokens: Token[];
  private index = 0;

  constructor(readonly text: string) {
    this.tokens = tokenize(text);
  }

  /** The token so far ahead, or the end. */
  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.index + ahead, this.tokens.length - 1)]!;
  }

  get token(): Token {
    return this.peek();
  }

  atEnd(): boolean {
    return this.token.kind === "end";
  }

  /** Steps over the next token and returns it. The end stays. */
  advance(): Token {
    const token = this.token;
    if (token.kind !== "end") this.index += 1;
    return token;
  }

  /** Steps over one of the keywords and returns it; "" when none of them is next. */
  accept(...keywords: string[]): string {
    return keywords.includes(this.token.keyword) ? this.advance().keyword : "";
  }

  /** Whether a parenthesis or comma is there. */
  atMark(mark: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "mark" && token.text === mark;
  }

  /** Steps over a parenthesis. */
  expect(mark: string, expected = mark): void {
    if (!this.atMark(mark)) this.surprise(expected);
    this.advance();
  }

  /** Whether no space stands between the next two tokens. */
  adjacent(): boolean {
    return this.token.end === this.peek(1).start;
  }

  /** Whether an operator of a comparison begins there. */
  atOperator(ahead = 0): boolean {
    const token = this.peek(ahead);
    if (token.keyword === "NOT") return NEGATABLE.includes(this.peek(ahead + 1).keyword);
    return token.kind === "operator" || WORD_OPERATORS.includes(token.keyword);
  }

  fail(message: string, expected: string, token = this.token): never {
    throw new QueryError(message, this.text, token.start, expected);
  }

  /** The next token cannot stand there. */
  surprise(expected: string): never {
    this.fail(this.atEnd() ? "the query ends too early" : `'${this.token.text}' cannot stand here`, expected);
  }
}
