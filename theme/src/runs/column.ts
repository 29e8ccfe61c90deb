import { columnFormat, date, duration, PARAM_DIGITS, value } from "../format";
import type { Goal, ParamValue } from "../types";

export type Stat = "auto" | "last" | "best" | "min" | "max" | "mean" | "first";
export type Kind = "run" | "param" | "metric" | "tag";
export type Cell = ParamValue | undefined;

const SAMPLE = 2_000;
const collator = new Intl.Collator("en", { numeric: true });

/** A column of the runs table: values, numbers to sort by, and how they are written. Each is made when first asked for. */
export class Column {
  private stat: Stat = "auto";
  private cells: Cell[] | null = null;
  private sortKeys: Float64Array | null = null;
  private onlyNumbers: boolean | null = null;
  private write: ((value: number) => string) | null = null;
  private sparkTexts: (string | undefined)[] | null = null;

  constructor(
    readonly id: string,
    readonly kind: Kind,
    readonly key: string,
    private readonly make: (stat: Stat) => Cell[],
    readonly goal: Goal = null,
    private readonly makeSparks: () => (string | undefined)[] = () => [],
  ) {}

  /** Which number of a metric's history is shown. */
  show(stat: Stat): void {
    if (this.kind !== "metric" || stat === this.stat) return;
    this.stat = stat;
    this.cells = this.sortKeys = this.write = null;
  }

  get values(): Cell[] {
    return (this.cells ??= this.make(this.stat));
  }

  spark(row: number): string | undefined {
    return (this.sparkTexts ??= this.makeSparks())[row];
  }

  /** Whether there are numbers and nothing else. */
  get numeric(): boolean {
    return (this.onlyNumbers ??= this.hasOnlyNumbers());
  }

  private hasOnlyNumbers(): boolean {
    let any = false;
    for (const item of this.values) {
      if (typeof item === "number") any = true;
      else if (item !== undefined && item !== null) return false;
    }
    return any;
  }

  /** Whether two runs differ in it. */
  get varies(): boolean {
    const first = this.values[0];
    return this.values.some((item) => item !== first);
  }

  text(row: number): string {
    const item = this.values[row];
    if (item === undefined || (item === null && this.kind === "run")) return "";
    if (typeof item !== "number") return this.kind === "run" && this.key === "status" ? String(item).toLowerCase() : value(item);
    return this.formatter(item);
  }

  get formatter(): (value: number) => string {
    return (this.write ??= this.makeFormatter());
  }

  private makeFormatter(): (value: number) => string {
    if (this.kind === "run") return this.key === "start" ? (ms) => date(ms).replace(" UTC", "") : duration;
    const numbers = this.values.slice(0, SAMPLE).filter((item) => typeof item === "number");
    return this.kind === "metric" ? columnFormat(numbers) : (item) => value(Number(item.toPrecision(PARAM_DIGITS)));
  }

  /** Numbers that sort as the values do; NaN is missing. Texts come after numbers, in the order of a dictionary. */
  get keys(): Float64Array {
    return (this.sortKeys ??= this.makeKeys());
  }

  private makeKeys(): Float64Array {
    const keys = new Float64Array(this.values.length).fill(NaN);
    const texts = new Set<string>();
    let highest = 0;
    this.values.forEach((item, row) => {
      if (typeof item === "number") highest = Math.max(highest, Number.isFinite((keys[row] = item)) ? Math.abs(item) : 0);
      else if (item !== undefined && item !== null) texts.add(value(item));
    });
    if (!texts.size) return keys;
    const ranks = new Map([...texts].sort(collator.compare).map((text, rank) => [text, highest + 1 + rank]));
    this.values.forEach((item, row) => {
      if (typeof item !== "number" && item !== undefined && item !== null) keys[row] = ranks.get(value(item)) ?? NaN;
    });
    return keys;
  }
}

/** The rows in the order of a column; what is missing or not a number comes last either way, ties keep their order. */
export function sortRows(rows: readonly number[], keys: Float64Array, descending: boolean): number[] {
  const sign = descending ? -1 : 1;
  const present = rows.filter((row) => !Number.isNaN(keys[row]));
  const missing = rows.filter((row) => Number.isNaN(keys[row]));
  present.sort((a, b) => (keys[a]! === keys[b]! ? a - b : sign * (keys[a]! < keys[b]! ? -1 : 1)));
  return present.concat(missing);
}
