/** A query as a tree, with every value already in the unit of its field. */

export type Family = "metric" | "param" | "tag" | "attribute";
export type Fold = "last" | "best" | "min" | "max" | "first" | "mean";
export type Operator = "in" | "<" | "<=" | ">" | ">=" | "between" | "like" | "ilike" | "null";
export type Literal = string | boolean | number;

export interface Field {
  readonly family: Family;
  /** Name of the metric, param or tag; the canonical name of an attribute. */
  readonly key: string;
  /** Which of a metric's numbers. */
  readonly fold: Fold;
}

/** A field against values. Without the field there is no match, whatever `negated` says, except for "null". */
export interface Compare {
  readonly type: "compare";
  readonly field: Field;
  readonly operator: Operator;
  readonly values: readonly Literal[];
  readonly negated: boolean;
}

export type Node =
  | Compare
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "not"; readonly item: Node }
  | { readonly type: "and" | "or"; readonly items: readonly Node[] };
