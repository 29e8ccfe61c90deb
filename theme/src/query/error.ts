/** A mistake in a query: what was expected, and where. */
export class QueryError extends Error {
  override readonly name = "QueryError";
  /** Index of the first wrong character, in Unicode characters from 0, as tracker in Python counts. */
  readonly position: number;

  /** `at` is an index into the query as JavaScript counts. */
  constructor(
    readonly detail: string,
    readonly query: string,
    at: number,
    readonly expected: string,
  ) {
    const position = [...query.slice(0, at)].length;
    const shown = query.replace(/[\n\t]/g, " ");
    super(`${detail} (at character ${position + 1})\n  ${shown}\n  ${" ".repeat(position)}^\nExpected ${expected}.`);
    this.position = position;
  }
}

/** ` Did you mean "x"?` when one of the known names is close, else an empty text. */
export function didYouMean(name: string, known: Iterable<string>): string {
  let best = { score: 0.6, name: "" };
  for (const other of known) {
    const score = (2 * commonLength(name, other)) / (name.length + other.length);
    if (score > best.score) best = { score, name: other };
  }
  return best.name && ` Did you mean "${best.name}"?`;
}

/** Length of the longest common subsequence. */
function commonLength(a: string, b: string): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const letter of a.slice(0, 40)) {
    const above = row;
    row = [0];
    for (let j = 1; j <= b.length; j += 1) row[j] = b[j - 1] === letter ? above[j - 1]! + 1 : Math.max(above[j]!, row[j - 1]!);
  }
  return row[b.length]!;
}
