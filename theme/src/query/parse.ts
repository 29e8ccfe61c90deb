/** Recursive descent from a query to its tree. docs/querying.md has the grammar, tracker/query/ the same in Python. */
import { readComparison } from "./comparison";
import { Cursor, KEYWORDS } from "./cursor";
import { startsField } from "./naming";
import type { Node } from "./nodes";

const MAX_DEPTH = 50;

/** The tree of a query; an empty query matches everything. Throws QueryError; times such as `-7d` count back from `now`. */
export function parse(query: string, now: number): Node {
  return new Parser(new Cursor(query), now).query();
}

class Parser {
  private depth = 0;

  constructor(
    private readonly cursor: Cursor,
    private readonly now: number,
  ) {}

  query(): Node {
    if (this.cursor.atEnd()) return { type: "and", items: [] };
    const node = this.either();
    return this.cursor.atEnd() ? node : this.cursor.surprise("AND, OR or the end of the query");
  }

  private either(): Node {
    const items = [this.both()];
    while (this.cursor.accept("OR")) items.push(this.both());
    return items.length === 1 ? items[0]! : { type: "or", items };
  }

  private both(): Node {
    const items = [this.condition()];
    while (this.cursor.accept("AND") || this.startsCondition()) items.push(this.condition());
    return items.length === 1 ? items[0]! : { type: "and", items };
  }

  private startsCondition(): boolean {
    const { kind, keyword } = this.cursor.token;
    if (kind === "word") return keyword === "NOT" || !KEYWORDS.includes(keyword);
    return kind === "string" || kind === "key" || this.cursor.atMark("(");
  }

  private condition(): Node {
    if (!this.startsCondition()) this.cursor.surprise("a condition such as metrics.acc > 0.9, or a text to find");
    const { kind, keyword } = this.cursor.token;
    if (keyword === "NOT" || this.cursor.atMark("(")) return this.nested();
    if (kind === "string" || !startsField(this.cursor)) return { type: "text", text: this.cursor.advance().text };
    return readComparison(this.cursor, this.now);
  }

  private nested(): Node {
    if (this.depth === MAX_DEPTH) this.cursor.fail("the query is nested too deeply", `at most ${MAX_DEPTH} levels of parentheses and NOT`);
    this.depth += 1;
    const negated = this.cursor.advance().keyword === "NOT";
    const node: Node = negated ? { type: "not", item: this.condition() } : this.either();
    if (!negated) this.cursor.expect(")", "AND, OR or )");
    this.depth -= 1;
    return node;
  }
}
