/** Which fields a query can name, and what they are compared with. */
import type { Family, Field, Fold } from "./nodes";

/** "typed" is a param or tag, which takes numbers, bools and text. */
export type Kind = "number" | "typed" | "text" | "status" | "time" | "duration";

export const STATUSES = ["RUNNING", "FINISHED", "FAILED", "KILLED", "STALE", "SCHEDULED"];
export const FUNCTIONS: readonly Fold[] = ["best", "min", "max", "last", "first", "mean"];

export const PREFIXES: ReadonlyMap<string, Family> = new Map<string, Family>([
  ["metrics", "metric"],
  ["metric", "metric"],
  ["params", "param"],
  ["param", "param"],
  ["parameters", "param"],
  ["parameter", "param"],
  ["tags", "tag"],
  ["tag", "tag"],
  ["attributes", "attribute"],
  ["attribute", "attribute"],
  ["attr", "attribute"],
  ["run", "attribute"],
]);

/** Canonical names of attributes by each of their spellings, in lower case. */
export const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["status", "status"],
  ["start_time", "start_time"],
  ["created", "start_time"],
  ["end_time", "end_time"],
  ["duration", "duration"],
  ["run_id", "run_id"],
  ["run_name", "run_name"],
  ["name", "run_name"],
  ["experiment_name", "experiment_name"],
  ["experiment", "experiment_name"],
  ["parent", "parent"],
  ["parent_run_id", "parent"],
]);

/** MLflow's own tags that are attributes here. */
export const TAG_ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["mlflow.runName", "run_name"],
  ["mlflow.parentRunId", "parent"],
]);

const ATTRIBUTE_KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["status", "status"],
  ["start_time", "time"],
  ["end_time", "time"],
  ["duration", "duration"],
]);

export function kindOf(field: Field): Kind {
  if (field.family === "attribute") return ATTRIBUTE_KINDS.get(field.key) ?? "text";
  return field.family === "metric" ? "number" : "typed";
}
