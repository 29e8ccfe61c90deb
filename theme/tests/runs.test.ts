import assert from "node:assert/strict";
import { test } from "node:test";
import { sortRows } from "../src/runs/column";
import { RunsData } from "../src/runs/data";
import { families } from "../src/runs/families";
import { middleCut } from "../src/runs/shorten";
import { sparkPath } from "../src/spark";
import type { ExperimentChunk } from "../src/types";

function chunk(name: string, changes: Partial<ExperimentChunk>): ExperimentChunk {
  return {
    schema: 1, rows: 2, experiment: { name, href: `experiments/${name}/index.html`, primary: "acc" }, id: [`${name}1`, `${name}2`], name: ["b", "a"],
    status: ["F", "X"], start: [2000, 1000], duration: [null, 500], parent: [null, null], chunk: ["v", "w"], params: [], metrics: [], tags: [], ...changes,
  };
}

const acc = { key: "acc", goal: "maximize" as const, last: [0.5, "NaN" as const], last_step: [1, 2], best: [0.9, null], best_step: [1, null], min: [0.1, null], max: [0.9, null], first: [0.1, 0.2], mean: [0.3, null], spark: ["09z", null] };
const data = new RunsData([
  chunk("x", { params: [{ key: "lr", values: [0.1, null] }, { key: "opt", dict: ["adam", { none: true }], codes: [1, 0] }], metrics: [acc] }),
  chunk("y", { params: [{ key: "lr", values: ["10", 2] }] }),
]);

test("columns run through all chunks; what an experiment does not have is missing", () => {
  assert.deepEqual(data.column("param:lr").values, [0.1, undefined, "10", 2]);
  assert.deepEqual(data.column("param:opt").values, [null, "adam", undefined, undefined]);
  assert.deepEqual(data.column("run:experiment").values, ["x", "x", "y", "y"]);
  assert.deepEqual(data.keys("param"), ["lr", "opt"]);
  assert.equal(data.experiment(2).name, "y");
  assert.equal(data.rowOf("y2"), 3);
});

test("a metric shows its best where it has a goal, and any other number of its history when asked", () => {
  const column = data.column("metric:acc");
  assert.deepEqual(column.values, [0.9, undefined, undefined, undefined]);
  column.show("last");
  assert.deepEqual(column.values, [0.5, NaN, undefined, undefined]);
  assert.equal(column.text(1), "NaN");
  assert.equal(column.spark(0), "09z");
  column.show("auto");
});

test("a column of numbers is known by having nothing else", () => {
  assert.equal(data.column("metric:acc").numeric, true);
  assert.equal(data.column("param:lr").numeric, false);
});

test("texts sort behind numbers, what is missing or not a number comes last in both directions", () => {
  const rows = [0, 1, 2, 3];
  const { keys } = data.column("param:lr");
  assert.deepEqual(sortRows(rows, keys, false), [0, 3, 2, 1]);
  assert.deepEqual(sortRows(rows, keys, true), [2, 3, 0, 1]);
  assert.deepEqual(sortRows(rows, new Float64Array([1, 1, 0, 1]), true), [0, 1, 3, 2]);
});

test("a missing duration is an empty cell, a status is in lower case", () => {
  assert.equal(data.column("run:duration").text(0), "");
  assert.equal(data.column("run:status").text(1), "failed");
});

test("a sparkline goes from low to high, breaks at gaps, and shows lone points", () => {
  assert.equal(sparkPath("0z", 60, 18), "M2.0 16.0L58.0 2.0");
  assert.equal(sparkPath("0-z", 60, 18).split("M").length - 1, 2);
  assert.ok(sparkPath("0-zz", 60, 18).startsWith("M2.0 16.0h0M"));
});

test("a run is followed by its children at any depth; runs that are each other's parents are not lost", () => {
  const parents = new Map([[1, 3], [0, 1], [5, 6], [6, 5]]);
  const { rows, depths } = families([0, 1, 2, 3, 4, 5, 6], (row) => parents.get(row));
  assert.deepEqual(rows, [2, 3, 1, 0, 4, 5, 6]);
  assert.deepEqual([...depths], [[1, 1], [0, 2], [6, 1]]);
  assert.deepEqual(families([0, 2], (row) => parents.get(row)), { rows: [0, 2], depths: new Map() });
});

test("a name too long for its column keeps its start and its end", () => {
  const width = (text: string) => text.length;
  assert.equal(middleCut("boosting-0.3-s2", 11, width), "boosti…3-s2");
  assert.equal(middleCut("short", 5, width), "short");
  assert.equal(middleCut("boosting", 0, width), "b…");
});
