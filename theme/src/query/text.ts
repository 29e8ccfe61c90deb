/** Text as Python and SQL see it, so that a query means the same here and there. */

/** MLflow's text of a value, which is Python's. A float without a fraction reads as an integer: JSON does not tell them apart. */
export function textOf(value: number | string | boolean | null): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return numberText(value);
  return value === null ? "None" : value ? "True" : "False";
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0 || Math.abs(value) >= 1e-4) return String(value);
  return value.toExponential().replace(/e-(\d)$/, "e-0$1");
}

/** Negative, zero or positive as `a` stands before, at or behind `b` in the order of Unicode characters. */
export function compareText(a: string, b: string): number {
  const right = b[Symbol.iterator]();
  for (const letter of a) {
    const other = right.next();
    if (other.done) return 1;
    if (letter !== other.value) return letter.codePointAt(0)! - other.value.codePointAt(0)!;
  }
  return right.next().done ? 0 : -1;
}

/** SQL's LIKE: % is any text, _ any one character, a backslash takes the next character as it is.
 *
 * The parts between the % are found from left to right, each once and for all (a lookahead never goes back), so the time
 * is linear in the text.
 */
export function like(pattern: string): (text: string) => boolean {
  const parts = likeParts(pattern);
  const middle = parts.slice(1, -1).map((part, index) => `(?=(.*?${part}))\\${index + 1}`);
  const expression = parts.length === 1 ? parts[0] : `${parts[0]}${middle.join("")}.*${parts.at(-1)}`;
  const whole = new RegExp(`^${expression}$`, "su");
  return (text) => whole.test(text);
}

/** Regular expressions of what stands between the % of a pattern. */
function likeParts(pattern: string): string[] {
  const parts = [""];
  for (const piece of pattern.match(/\\.|./gsu) ?? []) {
    if (piece === "%") parts.push("");
    else parts.push(parts.pop() + (piece === "_" ? "." : escaped(piece.length > 1 && piece.startsWith("\\") ? piece.slice(1) : piece)));
  }
  return parts;
}

function escaped(letter: string): string {
  return /^[\\^$.*+?()[\]{}|]$/.test(letter) ? `\\${letter}` : letter;
}
