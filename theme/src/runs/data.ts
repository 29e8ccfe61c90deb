/** The runs of a page, column by column, put together from the chunks of its experiments. */
import { toNumber } from "../format";
import type { ExperimentChunk, Goal, MetricColumn, ParamColumn, ParamValue } from "../types";
import { Column, type Stat } from "./column";

export const STATUS: Record<string, string> = { R: "RUNNING", F: "FINISHED", X: "FAILED", K: "KILLED", S: "STALE" };

type Keyed = { key: string };

export class RunsData {
  readonly rows: number;
  readonly id: string[];
  readonly name: string[];
  readonly status: string[];
  readonly start: number[];
  readonly duration: (number | null)[];
  private readonly parent: (string | null)[];
  /** Version of each run's own chunk. */
  readonly version: string[];
  private readonly columns = new Map<string, Column>();
  private readonly rowOfId = new Map<string, number>();

  constructor(private readonly chunks: ExperimentChunk[]) {
    this.rows = chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
    this.id = chunks.flatMap((chunk) => chunk.id);
    this.name = chunks.flatMap((chunk) => chunk.name);
    this.status = chunks.flatMap((chunk) => chunk.status.map((letter) => STATUS[letter] ?? letter));
    this.start = chunks.flatMap((chunk) => chunk.start);
    this.duration = chunks.flatMap((chunk) => chunk.duration);
    this.parent = chunks.flatMap((chunk) => chunk.parent);
    this.version = chunks.flatMap((chunk) => chunk.chunk);
    this.id.forEach((id, row) => this.rowOfId.set(id, row));
  }

  rowOf(id: string): number | undefined {
    return this.rowOfId.get(id);
  }

  /** The row of its parent, where that is in the table. */
  parentOf(row: number): number | undefined {
    const id = this.parent[row];
    return id ? this.rowOfId.get(id) : undefined;
  }

  experiment(row: number): { name: string; href: string } {
    return this.chunkOf(row).experiment;
  }

  get experiments(): number {
    return new Set(this.chunks.map((chunk) => chunk.experiment.href)).size;
  }

  /** The declared metric to judge runs by, where all of them share one. */
  get primary(): string | null {
    return this.chunks[0]?.experiment.primary ?? null;
  }

  keys(kind: "param" | "metric" | "tag"): string[] {
    const lists = this.chunks.map((chunk) => (kind === "param" ? chunk.params : kind === "tag" ? chunk.tags : chunk.metrics) as Keyed[]);
    return [...new Set(lists.flatMap((list) => list.map((column) => column.key)))];
  }

  /** A column such as `param:lr`, `metric:acc` or `run:duration`. */
  column(id: string): Column {
    const known = this.columns.get(id);
    if (known) return known;
    const made = this.makeColumn(id);
    this.columns.set(id, made);
    return made;
  }

  private makeColumn(id: string): Column {
    const colon = id.indexOf(":");
    const key = id.slice(colon + 1);
    switch (id.slice(0, colon)) {
      case "metric":
        return new Column(id, "metric", key, (stat) => this.metricValues(key, stat), this.goal(key), () => this.sparks(key));
      case "param":
        return new Column(id, "param", key, () => this.gather((chunk) => chunk.params, key, paramValues));
      case "tag":
        return new Column(id, "tag", key, () => this.gather((chunk) => chunk.tags, key, paramValues));
      default:
        return new Column(id, "run", key, () => this.attribute(key));
    }
  }

  private attribute(key: string): ParamValue[] {
    switch (key) {
      case "status":
        return this.status;
      case "start":
        return this.start;
      case "duration":
        return this.duration;
      case "experiment":
        return this.chunks.flatMap((chunk) => Array<string>(chunk.rows).fill(chunk.experiment.name));
      default:
        return this.name;
    }
  }

  private goal(key: string): Goal {
    for (const chunk of this.chunks) {
      const column = chunk.metrics.find((item) => item.key === key);
      if (column) return column.goal;
    }
    return null;
  }

  private metricValues(key: string, stat: Stat): (number | undefined)[] {
    return this.gather((chunk) => chunk.metrics, key, (column: MetricColumn) => column[statOf(column, stat)].map((item) => toNumber(item) ?? undefined));
  }

  private sparks(key: string): (string | undefined)[] {
    return this.gather((chunk) => chunk.metrics, key, (column: MetricColumn) => column.spark.map((item) => item ?? undefined));
  }

  private gather<C extends Keyed, V>(columns: (chunk: ExperimentChunk) => C[], key: string, values: (column: C) => (V | undefined)[]): (V | undefined)[] {
    return this.chunks.flatMap((chunk) => {
      const column = columns(chunk).find((item) => item.key === key);
      return column ? values(column) : Array<V | undefined>(chunk.rows).fill(undefined);
    });
  }

  private chunkOf(row: number): ExperimentChunk {
    let before = 0;
    for (const chunk of this.chunks) {
      before += chunk.rows;
      if (row < before) return chunk;
    }
    throw new RangeError(`row ${row} of ${this.rows}`);
  }
}

function statOf(column: MetricColumn, stat: Stat): Exclude<Stat, "auto"> {
  if (stat !== "auto") return stat === "best" && !column.goal ? "last" : stat;
  return column.goal ? "best" : "last";
}

/** `{"none": true}` is a logged null, null is a missing value: here null and undefined. */
function paramValues(column: ParamColumn): (ParamValue | undefined)[] {
  if ("values" in column) return column.values.map(plain);
  const dict = column.dict.map(plain);
  return column.codes.map((code) => dict[code]);
}

function plain(item: ParamValue): ParamValue | undefined {
  if (item === null) return undefined;
  return typeof item === "object" ? null : (toNumber(item as number) ?? item);
}
