/** What the runs table shows: the state that stands in the address, and the rows that follow from it. */
import { type Params, readList, readParam, writeParams } from "../address";
import { type Stat, sortRows } from "./column";
import type { RunsData } from "./data";
import { families } from "./families";

export interface Sort {
  column: string;
  descending: boolean;
}

const NEWEST_FIRST: Sort = { column: "run:start", descending: true };
const STATS: readonly string[] = ["auto", "last", "best", "min", "max", "mean", "first"];

export type Match = (row: number) => boolean;

export class RunsView {
  sort: Sort;
  columns: string[];
  ticked: Set<string>;
  stat: Stat;
  query: string;
  /** The matching rows in their order. */
  rows: number[] = [];
  /** How far rows stand in below their parents; a list that is filtered or sorted by a value is flat. */
  depths: ReadonlyMap<number, number> = new Map();
  private match: Match | null = null;
  private readonly listeners: (() => void)[] = [];

  constructor(
    readonly data: RunsData,
    private readonly defaults: string[],
  ) {
    const columns = readList("col");
    const stat = readParam("stat") ?? "auto";
    this.columns = columns.length ? columns.filter((id) => id !== "none") : [...defaults];
    this.sort = readSort(readParam("sort"));
    this.ticked = new Set((readParam("runs") ?? "").split(",").filter((id) => data.rowOf(id) !== undefined));
    this.stat = STATS.includes(stat) ? (stat as Stat) : "auto";
    this.query = readParam("q") ?? "";
    this.restat();
    this.reorder();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  get isFiltered(): boolean {
    return this.match !== null;
  }

  setQuery(query: string, match: Match | null): void {
    this.query = query;
    this.match = match;
    this.changed(true);
  }

  sortBy(column: string): void {
    const same = this.sort.column === column;
    const best = this.data.column(column);
    const descending = best.kind === "metric" ? best.goal !== "minimize" : column === "run:start";
    this.sort = { column, descending: same ? !this.sort.descending : descending };
    this.changed(true);
  }

  setColumns(columns: string[]): void {
    this.columns = columns;
    this.changed(false);
  }

  setStat(stat: Stat): void {
    this.stat = stat;
    this.restat();
    this.changed(true);
  }

  tick(ids: readonly string[], on: boolean): void {
    for (const id of ids) on ? this.ticked.add(id) : this.ticked.delete(id);
    this.changed(false);
  }

  clearTicks(): void {
    this.ticked.clear();
    this.changed(false);
  }

  private changed(reorder: boolean): void {
    if (reorder) this.reorder();
    writeParams(this.params());
    for (const listener of this.listeners) listener();
  }

  private restat(): void {
    for (const key of this.data.keys("metric")) this.data.column(`metric:${key}`).show(this.stat);
  }

  private reorder(): void {
    const rows: number[] = [];
    for (let row = 0; row < this.data.rows; row += 1) if (!this.match || this.match(row)) rows.push(row);
    const sorted = sortRows(rows, this.data.column(this.sort.column).keys, this.sort.descending);
    const flat = this.match !== null || this.sort.column !== NEWEST_FIRST.column;
    ({ rows: this.rows, depths: this.depths } = flat ? { rows: sorted, depths: new Map() } : families(sorted, (row) => this.data.parentOf(row)));
  }

  private params(): Params {
    const usual = this.columns.join("\n") === this.defaults.join("\n");
    const { column, descending } = this.sort;
    const newest = column === NEWEST_FIRST.column && descending === NEWEST_FIRST.descending;
    return {
      q: this.query.trim(),
      sort: newest ? null : `${descending ? "-" : ""}${column}`,
      col: usual ? null : this.columns.length ? this.columns : ["none"],
      stat: this.stat === "auto" ? null : this.stat,
      runs: [...this.ticked].join(","),
    };
  }
}

function readSort(text: string | null): Sort {
  if (!text) return NEWEST_FIRST;
  const descending = text.startsWith("-");
  return { column: descending ? text.slice(1) : text, descending };
}
