/** A query asks the chunks of experiments, one column at a time. Rows count through all chunks. */
import { toNumber } from "../format";
import type { ExperimentChunk, ParamColumn, ParamValue } from "../types";
import type { Source, Value } from "./evaluate";
import type { Field } from "./nodes";
import { textOf } from "./text";

const STATUS: Readonly<Record<string, string>> = { R: "RUNNING", F: "FINISHED", X: "FAILED", K: "KILLED", S: "STALE" };
const ONLY_NUMBERS = /^[-+.0-9einfa]*$/;

export class ChunkSource implements Source<number> {
  private readonly columns = new Map<string, Value[]>();

  constructor(private readonly chunks: readonly ExperimentChunk[]) {}

  getter(field: Field): (row: number) => Value {
    const id = JSON.stringify(field);
    const values = this.columns.get(id) ?? this.chunks.flatMap((chunk) => column(chunk, field));
    this.columns.set(id, values);
    return (row) => values[row];
  }

  /** Looks at each different value once, so that typing stays quick. */
  finder(text: string): (row: number) => boolean {
    const found = this.chunks.flatMap((chunk) => [...rowsWith(chunk, text)]);
    return (row) => found[row] === 1;
  }
}

function column(chunk: ExperimentChunk, { family, key, fold }: Field): Value[] {
  if (family === "attribute") return attribute(chunk, key);
  const nothing = (): Value[] => new Array<Value>(chunk.rows).fill(undefined);
  if (family === "metric") return chunk.metrics.find((item) => item.key === key)?.[fold].map((item) => toNumber(item) ?? undefined) ?? nothing();
  const found = (family === "param" ? chunk.params : chunk.tags).find((item) => item.key === key);
  if (!found) return nothing();
  const plain = family === "param" ? param : tag;
  if ("values" in found) return found.values.map(plain);
  const dict = found.dict.map(plain);
  return found.codes.map((code) => dict[code]);
}

function attribute(chunk: ExperimentChunk, key: string): Value[] {
  switch (key) {
    case "run_id":
      return chunk.id;
    case "run_name":
      return chunk.name;
    case "status":
      return chunk.status.map((letter) => STATUS[letter] ?? letter);
    case "start_time":
      return chunk.start;
    case "end_time":
      return chunk.duration.map((duration, row) => (duration === null ? undefined : chunk.start[row]! + duration));
    case "duration":
      return chunk.duration.map((duration) => duration ?? undefined);
    case "parent":
      return chunk.parent.map((parent) => parent ?? undefined);
  }
  return new Array<Value>(chunk.rows).fill(chunk.experiment.name);
}

/** `{"none": true}` is a logged null, null a missing value: here null and undefined. */
function param(item: ParamValue): Value {
  if (item === null) return undefined;
  if (typeof item === "object") return null;
  return typeof item === "string" ? (toNumber(item) ?? item) : item;
}

function tag(item: ParamValue): Value {
  return typeof item === "string" ? item : undefined;
}

const SHORTEST_END = 4;

/** Whether a text is the beginning of an id, or its end as pages show it. */
function namesRun(id: string, text: string): boolean {
  return id.startsWith(text) || (text.length >= SHORTEST_END && id.endsWith(text));
}

/** 1 for each row whose name, params or tags hold the text, or whose id begins or ends with it. */
function rowsWith(chunk: ExperimentChunk, text: string): Uint8Array {
  const rows = new Uint8Array(chunk.rows);
  chunk.name.forEach((name, row) => {
    if (name.toLowerCase().includes(text) || namesRun(chunk.id[row]!, text)) rows[row] = 1;
  });
  const numbers = ONLY_NUMBERS.test(text);
  for (const item of chunk.params) mark(rows, item, text, (value) => holds(param(value), text, numbers));
  for (const item of chunk.tags) mark(rows, item, text, (value) => holds(tag(value), text, numbers));
  return rows;
}

function mark(rows: Uint8Array, column: ParamColumn, text: string, holdsText: (value: ParamValue) => boolean): void {
  const hit = column.key.toLowerCase().includes(text) ? (value: ParamValue) => value !== null : holdsText;
  if ("values" in column) {
    column.values.forEach((value, row) => hit(value) && (rows[row] = 1));
    return;
  }
  const hits = column.dict.map(hit);
  column.codes.forEach((code, row) => hits[code] && (rows[row] = 1));
}

function holds(value: Value, text: string, numbers: boolean): boolean {
  if (value === undefined || (typeof value === "number" && !numbers)) return false;
  return textOf(value).toLowerCase().includes(text);
}
