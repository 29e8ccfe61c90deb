/** From tokens to one comparison: which operators a field takes, and which values. */
import { KEYWORDS, NEGATABLE, type Cursor } from "./cursor";
import { kindOf, type Kind } from "./fields";
import { EXPECTED, readValue, toNumber } from "./literals";
import { readField, splitPrefix } from "./naming";
import type { Compare, Field, Literal, Operator } from "./nodes";
import type { Token } from "./tokens";

const SYMBOLS: ReadonlyMap<string, readonly [Operator, boolean]> = new Map<string, readonly [Operator, boolean]>([
  ["=", ["in", false]],
  ["==", ["in", false]],
  ["!=", ["in", true]],
  ["<>", ["in", true]],
  ["<", ["<", false]],
  ["<=", ["<=", false]],
  [">", [">", false]],
  [">=", [">=", false]],
]);

/** The comparison that comes next. Throws QueryError for operators and values that do not fit the field. */
export function readComparison(cursor: Cursor, now: number): Compare {
  return new Comparison(cursor, now, readField(cursor)).read();
}

class Comparison {
  private readonly kind: Kind;

  constructor(
    private readonly cursor: Cursor,
    private readonly now: number,
    private readonly field: Field,
  ) {
    this.kind = kindOf(field);
  }

  read(): Compare {
    if (!this.cursor.atOperator()) this.cursor.surprise("an operator such as =, <, IN, LIKE, BETWEEN or IS NULL");
    if (this.cursor.token.kind === "operator") return this.symbol();
    if (this.cursor.accept("IS")) return this.isNull();
    const negated = this.cursor.accept("NOT") !== "";
    const operator = this.cursor.token;
    switch (this.cursor.accept(...NEGATABLE)) {
      case "IN":
        return this.compare("in", this.members(), negated);
      case "BETWEEN":
        return this.compare("between", this.bounds(operator), negated);
      case "LIKE":
        return this.compare("like", [this.pattern(operator)], negated);
    }
    return this.compare("ilike", [this.pattern(operator)], negated);
  }

  private compare(operator: Operator, values: readonly Literal[], negated: boolean): Compare {
    return { type: "compare", field: this.field, operator, values, negated };
  }

  private symbol(): Compare {
    const token = this.cursor.advance();
    const [operator, negated] = SYMBOLS.get(token.text)!;
    return this.compare(operator, [operator === "in" ? this.value() : this.ordered(token)], negated);
  }

  private isNull(): Compare {
    const negated = this.cursor.accept("NOT") !== "";
    if (!this.cursor.accept("NULL")) this.cursor.surprise(negated ? "NULL" : "NULL or NOT NULL");
    return this.compare("null", [], negated);
  }

  private members(): Literal[] {
    this.cursor.expect("(");
    const values = [this.value()];
    while (this.cursor.atMark(",")) {
      this.cursor.advance();
      if (!this.cursor.atMark(")")) values.push(this.value());
    }
    this.cursor.expect(")");
    return values;
  }

  private bounds(operator: Token): [Literal, Literal] {
    const low = this.ordered(operator);
    if (!this.cursor.accept("AND")) this.cursor.surprise("AND and the upper bound");
    const token = this.cursor.token;
    const high = this.ordered(operator);
    if (typeof low !== typeof high) this.cursor.fail("the two bounds are of different kinds", "two numbers or two texts", token);
    return [low, high];
  }

  private pattern(operator: Token): string {
    if (!["typed", "text", "status"].includes(this.kind)) {
      this.cursor.fail(`${operator.keyword} is for text only`, "=, !=, <, <=, >, >=, IN or BETWEEN", operator);
    }
    return this.valueToken("text").text;
  }

  /** A value that has an order. */
  private ordered(operator: Token): Literal {
    if (this.kind === "status") this.cursor.fail("a status has no order", "=, !=, IN or LIKE", operator);
    const token = this.cursor.token;
    const value = this.value();
    if (typeof value === "boolean" || Number.isNaN(value)) this.cursor.fail(`${token.text} has no order`, "=, != or IN", operator);
    if (this.kind === "typed" && typeof value === "string" && toNumber(value) !== undefined) {
      this.cursor.fail("numbers in quotes are text", `${value} without quotes`, token);
    }
    return value;
  }

  private value(): Literal {
    const token = this.valueToken(this.kind);
    return readValue(this.kind, token, this.now) ?? this.refuse(token);
  }

  private valueToken(kind: Kind): Token {
    const token = this.cursor.token;
    if (!["word", "string"].includes(token.kind) || KEYWORDS.includes(token.keyword)) {
      if (token.keyword === "NULL") this.refuse(token);
      this.cursor.surprise(EXPECTED[kind]);
    }
    const { family } = splitPrefix(token);
    if (family !== undefined && family !== "attribute") this.cursor.fail("a field cannot be compared with another field", EXPECTED[kind]);
    return this.cursor.advance();
  }

  private refuse(token: Token): never {
    const isNull = token.keyword === "NULL" || token.keyword === "NONE";
    return this.cursor.fail(`'${token.text}' is no value for ${this.field.key}`, isNull ? "IS NULL or IS NOT NULL" : EXPECTED[this.kind], token);
  }
}
