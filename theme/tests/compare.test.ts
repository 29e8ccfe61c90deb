import assert from "node:assert/strict";
import { test } from "node:test";
import { metricRows, paramRows, tagRows } from "../src/compare/model";
import type { Goal, Num, RunChunk } from "../src/types";

function run(params: Record<string, number | string | { none: true }>, metrics: Record<string, [Goal, Num, Num]>): RunChunk {
  const columns = Object.entries(metrics);
  const pick = <T>(read: (item: [Goal, Num, Num]) => T) => columns.map(([, item]) => read(item));
  const many = { key: columns.map(([key]) => key), goal: pick((item) => item[0]), best: pick((item) => item[1]), last: pick((item) => item[2]) };
  const steps = pick(() => 3);
  const rest = { count: pick(() => 5), last_step: steps, best_step: steps, min: many.last, min_step: steps, max: many.last, max_step: steps, first: many.last, mean: many.last };
  return {
    schema: 1, id: "0", name: "n", status: "FINISHED", start: 0, end: 1, parent: null, experiment: { name: "e", href: "" },
    params: { key: Object.keys(params), value: Object.values(params) }, tags: { key: [], value: [] }, metrics: { ...many, ...rest }, series: [], full: null,
  };
}

test("a parameter that all runs share is the same, one that a run lacks differs", () => {
  const rows = paramRows([run({ lr: 0.1, seed: 1 }, {}), run({ lr: 0.1, opt: { none: true } }, {})]);
  assert.deepEqual(rows.map((row) => [row.key, row.same, row.cells.map((cell) => cell.text)]), [
    ["lr", true, ["0.1", "0.1"]],
    ["seed", false, ["1", ""]],
    ["opt", false, ["", "null"]],
  ]);
});

test("the best of a metric follows its goal, differences are to the first run", () => {
  const [acc, loss] = metricRows([run({}, { acc: ["maximize", 0.9, 0.8], loss: ["minimize", 0.5, 0.6] }), run({}, { acc: ["maximize", 0.95, 0.1], loss: ["minimize", 0.7, 0.7] })]);
  assert.deepEqual(acc!.cells.map((cell) => [cell.text, cell.best, cell.delta, cell.better]), [["0.9", false, "", null], ["0.95", true, "+0.05", true]]);
  assert.deepEqual(loss!.cells.map((cell) => [cell.best, cell.delta, cell.better]), [[true, "", null], [false, "+0.2", false]]);
});

test("without a goal the last value is shown and nothing is better", () => {
  const [row] = metricRows([run({}, { t: [null, null, 2] }), run({}, { t: [null, null, "NaN"] }), run({}, {})]);
  assert.deepEqual(row!.cells.map((cell) => [cell.text, cell.best, cell.better]), [["2", false, null], ["NaN", false, null], ["", false, null]]);
});

test("what was written about a run is the last of its tags", () => {
  const noted = { ...run({}, {}), tags: { key: ["mlflow.note.content", "team"], value: ["A try.", "vision"] } };
  assert.deepEqual(tagRows([noted]).map((row) => [row.key, row.prose ?? false]), [["team", false], ["Note", true]]);
});
