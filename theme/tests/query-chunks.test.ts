/** Queries over chunks as docs/site-data.md describes them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkSource } from "../src/query/chunks";
import { compile } from "../src/query/evaluate";
import type { ExperimentChunk } from "../src/types";

const FIRST: ExperimentChunk = {
  schema: 1,
  rows: 3,
  experiment: { name: "digits", href: "experiments/digits/", primary: "acc" },
  id: ["aa1", "bb2", "cc3"],
  name: ["brave-otter", "calm-fox", "Odd One"],
  status: ["F", "X", "R"],
  start: [1000, 2000, 3000],
  duration: [60_000, 0, null],
  parent: [null, "aa1", null],
  chunk: ["1", "2", "3"],
  params: [
    { key: "lr", values: [0.001, 1e-5, null] },
    { key: "model", dict: ["svm", { none: true }], codes: [0, 1, -1] },
    { key: "decay", values: ["NaN", null, "-Infinity"] },
  ],
  metrics: [
    {
      key: "acc",
      goal: "maximize",
      last: [0.9, "NaN", null],
      last_step: [2, 0, null],
      best: [0.95, null, null],
      best_step: [1, null, null],
      min: [0.1, null, null],
      max: [0.95, null, null],
      first: [0.1, "NaN", null],
      mean: [0.5, null, null],
      spark: ["0z", "", null],
    },
  ],
  tags: [{ key: "team", dict: ["NaN", "Vision"], codes: [-1, 0, 1] }],
};
const SECOND: ExperimentChunk = { ...FIRST, rows: 1, experiment: { name: "iris", href: "experiments/iris/", primary: null }, id: ["dd4"], name: ["last"], status: ["S"], start: [4000], duration: [1], parent: [null], chunk: ["4"], params: [], metrics: [], tags: [] };
const SOURCE = new ChunkSource([FIRST, SECOND]);

const CASES: readonly (readonly [string, string])[] = [
  ["", "abcd"],
  ["metrics.acc > 0.85", "a"],
  ["metrics.acc = nan", "b"],
  ["metrics.acc IS NULL", "cd"],
  ["best(metrics.acc) = 0.95 and first(metrics.acc) < 1 and mean(metrics.acc) = .5", "a"],
  ["params.lr < 0.01", "ab"],
  ["params.lr LIKE '1e-05'", "b"],
  ["params.model = 'svm'", "a"],
  ["params.model IS NULL", "bcd"],
  ["params.model = 'None'", "b"],
  ["params.decay = nan or params.decay = -inf", "ac"],
  ["tags.team = 'NaN'", "b"],
  ["tags.team IS NULL", "ad"],
  ["status = 'RUNNING' or status = stale", "cd"],
  ["experiment = 'iris'", "d"],
  ["parent = 'aa1'", "b"],
  ["duration >= 1m", "a"],
  ["duration IS NULL", "c"],
  ["end_time = 61000", "a"],
  ["start_time >= 3000", "cd"],
  ["run_id IN ('aa1', 'dd4') and name != 'last'", "a"],
  ["otter", "a"],
  ["ODD", "c"],
  ["bb", "b"],
  ["b2", ""],
  ["vision", "c"],
  ["model", "ab"],
  ["none", "b"],
  ["1e-05", "b"],
  ["-inf", "c"],
  ["''", "abcd"],
  ["last OR fox", "bd"],
];

for (const [query, expected] of CASES) {
  test(`${query || "an empty query"} finds ${expected || "nothing"}`, () => {
    const matches = compile(query, SOURCE);
    assert.equal([..."abcd"].filter((_, row) => matches(row)).join(""), expected);
  });
}
