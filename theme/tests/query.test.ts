/** The query language answers every case of tests/query/cases.json, as tracker in Python does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compile, QueryError, type Source, type Value } from "../src/query/evaluate";
import type { Field } from "../src/query/nodes";
import { textOf } from "../src/query/text";

type Point = number | "NaN" | "Infinity" | "-Infinity";
type Param = Exclude<Value, undefined> | { float: Point };

interface Run {
  id: string;
  name: string;
  experiment: string;
  status: string;
  start_time: number;
  end_time: number | null;
  parent: string | null;
  params: Record<string, Param>;
  metrics: Record<string, Point[]>;
  tags: Record<string, string>;
}

interface Cases {
  now: number;
  goals: Record<string, Record<string, string>>;
  runs: Run[];
  cases: { query: string; expected: string[] }[];
  errors: { query: string; position: number; expected: string; message?: string }[];
}

const FILE: Cases = JSON.parse(readFileSync(new URL("../../tests/query/cases.json", import.meta.url), "utf8"));

function metric(run: Run, { key, fold }: Field): Value {
  const points = run.metrics[key]?.map(Number);
  if (!points) return undefined;
  if (fold === "last") return points.at(-1);
  if (fold === "first") return points[0];
  const finite = points.filter(Number.isFinite);
  if (!finite.length) return undefined;
  if (fold === "mean") return finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const goal = fold === "best" ? FILE.goals[run.experiment]?.[key] : `${fold}imize`;
  return goal === "maximize" ? Math.max(...finite) : goal === "minimize" ? Math.min(...finite) : undefined;
}

function param(value: Param | undefined): Value {
  return typeof value === "object" && value !== null ? Number(value.float) : value;
}

function attribute(run: Run, key: string): Value {
  const all: Record<string, Value> = {
    status: run.status,
    start_time: run.start_time,
    end_time: run.end_time ?? undefined,
    duration: run.end_time === null ? undefined : run.end_time - run.start_time,
    run_id: run.id,
    run_name: run.name,
    experiment_name: run.experiment,
    parent: run.parent ?? undefined,
  };
  return all[key];
}

const SOURCE: Source<Run> = {
  getter: (field) => (run) => {
    if (field.family === "metric") return metric(run, field);
    if (field.family === "param") return param(run.params[field.key]);
    return field.family === "tag" ? run.tags[field.key] : attribute(run, field.key);
  },
  finder: (text) => (run) => {
    const params = Object.entries(run.params).flatMap(([key, value]) => [key, textOf(param(value) ?? null)]);
    return run.id.startsWith(text) || (text.length >= 4 && run.id.endsWith(text)) || [run.name, ...params, ...Object.entries(run.tags).flat()].some((part) => part.toLowerCase().includes(text));
  },
};

test("each query finds the runs that its case names", async (t) => {
  for (const { query, expected } of FILE.cases) {
    await t.test(query, () => {
      const matches = compile(query, SOURCE, FILE.now);
      assert.deepEqual(FILE.runs.filter(matches).map((run) => run.id), expected);
    });
  }
});

test("each mistake is answered with its position and what was expected", async (t) => {
  for (const { query, position, expected, message = "" } of FILE.errors) {
    await t.test(query.slice(0, 60), () => {
      assert.throws(
        () => compile(query, SOURCE, FILE.now),
        (error) => {
          assert(error instanceof QueryError);
          assert.equal(error.position, position);
          assert(error.expected.includes(expected), error.message);
          assert(error.message.includes(message), error.message);
          return true;
        },
      );
    });
  }
});

test("an error shows the query with a caret under the mistake", () => {
  assert.throws(() => compile("otter AND\nstatu = 'x'", SOURCE), /\n  otter AND statu = 'x'\n            \^\n/);
});

test("a pattern takes time that grows with the text only", () => {
  const matches = compile(`name LIKE '${"%a".repeat(30)}b'`, { ...SOURCE, getter: () => () => "a".repeat(5000) });
  assert.equal(FILE.runs.some(matches), false);
});
