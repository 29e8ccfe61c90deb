import assert from "node:assert/strict";
import { test } from "node:test";
import { endLabels, spread } from "../src/charts/labels";
import { curveData, type Line, nearest, smoothed, timeUnit } from "../src/charts/lines";
import { rankCorrelation } from "../src/charts/relation";
import { withAxes, withFaintPoints, withoutChecks } from "../src/charts/spec";
import { Palette } from "../src/colours";

const line = (y: number[], slot = 0): Line => ({ label: `line ${slot}`, slot, x: y.map((_, index) => index), y, total: y.length });

test("smoothing is the debiased moving average: a constant stays, the first value is itself, gaps are passed over", () => {
  assert.deepEqual(smoothed([3, 3, 3], 0.9).map((item) => Math.round(item * 1e9) / 1e9), [3, 3, 3]);
  const [first, second, third] = smoothed([1, NaN, 2], 0.5);
  assert.equal(first, 1);
  assert.ok(Number.isNaN(second));
  assert.ok(Math.abs(third! - (0.25 * 1 + 0.5 * 2) / 0.75) < 1e-12);
});

test("the nearest of sorted values is found, ties go to the lower one", () => {
  assert.deepEqual([-5, 0, 4, 5.1, 100].map((wanted) => nearest([0, 10, 20], wanted)), [0, 0, 0, 1, 2]);
  assert.equal(nearest([], 1), -1);
});

test("points that are not finite are marked instead of drawn; on a log axis so are only positive ones drawn", () => {
  const data = curveData([line([1, NaN, -1, Infinity])], 0, false);
  assert.deepEqual(data.points.map((point) => point["y"]), [1, -1]);
  assert.deepEqual(data.marks.map((mark) => mark["x"]), [1, 3]);
  assert.deepEqual(curveData([line([1, -1])], 0, true).points.length, 1);
  assert.equal(curveData([line([1, 2])], 0.5, false).smooth.length, 2);
});

test("the only finite point of a series is a dot, for there is no line through it", () => {
  assert.deepEqual(curveData([line([NaN, Infinity, 3])], 0, false).lone.map((point) => point["y"]), [3]);
  assert.deepEqual(curveData([line([1, NaN, 3])], 0, false).lone, []);
});

test("a long stretch of points that are not finite gets no more marks than find room", () => {
  const marks = curveData([line(new Array<number>(400).fill(NaN))], 0, false).marks;
  assert.ok(marks.length > 20 && marks.length <= 33, `${marks.length}`);
});

test("the eleventh line repeats a colour with a dash of its own", () => {
  const [point] = curveData([line([1, 2], 10)], 0, false).points;
  assert.deepEqual([point?.["series"], point?.["dash"]], [0, 1]);
});

test("the unit of time fits the longest series", () => {
  const series = (ms: number) => ({ metric: "m", total: 1, step: [0], time: [ms], value: [1] });
  assert.deepEqual([5_000, 600_000, 4 * 3_600_000, 9 * 86_400_000].map((ms) => timeUnit([series(ms)])), ["s", "min", "h", "d"]);
});

test("direct labels never touch and stay within the plot", () => {
  const ends = [{ y: 200 }, { y: 199 }, { y: 0 }, { y: 207 }];
  spread(ends);
  const sorted = ends.map((end) => end.y).sort((a, b) => a - b);
  sorted.forEach((y, index) => index > 0 && assert.ok(y - sorted[index - 1]! >= 13 - 1e-9));
  assert.ok(sorted.at(-1)! <= 208);
  const labels = endLabels([line([1, 2], 0), line([1, NaN], 1)], [[1, 2], [1, NaN]], false);
  assert.equal(labels.length, 2);
});

test("rank correlation sees any monotone relation, and none in a constant", () => {
  assert.equal(Math.round(rankCorrelation([1, 2, 3, 4], [1, 8, 27, 64]) * 1e9), 1e9);
  assert.equal(Math.round(rankCorrelation([1, 2, 3, 4], [9, 7, 5, 1]) * 1e9), -1e9);
  assert.equal(rankCorrelation([1, 1, 1], [1, 2, 3]), 0);
});

test("titles and scales are filled into a copy of the specification, in all layers", () => {
  const spec = { encoding: { x: { field: "x", type: "quantitative", scale: { zero: false } }, y: { field: "y", type: "quantitative" } }, layer: [{ encoding: { y: { field: "best", type: "quantitative" } } }, { encoding: { y: { value: 6 } } }] };
  const made = withAxes(spec, { x: "step", y: null, yScale: "log" }) as typeof spec;
  assert.deepEqual(made.encoding.x, { field: "x", type: "quantitative", title: "step", scale: { padding: 6, zero: false } });
  assert.deepEqual(made.layer[0]!.encoding.y, { field: "best", type: "quantitative", title: null, scale: { padding: 6, type: "log" } });
  assert.deepEqual(made.layer[1]!.encoding.y, { value: 6 });
  assert.equal("title" in spec.encoding.x, false);
  const flat = withAxes(spec, { x: "step", y: null, yDomain: [0, 2], xWhole: true }) as { encoding: { x: object; y: object } };
  assert.deepEqual(flat.encoding.y, { field: "y", type: "quantitative", title: null, scale: { domain: [0, 2], padding: 6, zero: false } });
  assert.deepEqual(flat.encoding.x, { field: "x", type: "quantitative", title: "step", scale: { padding: 6, zero: false }, axis: { tickMinStep: 1 } });
});

test("the compiled specification no longer asks of each point whether it is a number", () => {
  const compiled = { data: [{ transform: [{ expr: 'toNumber(datum["x"])' }, { expr: "datum.x > 1" }] }], marks: [{ marks: [{ encode: { update: { defined: {}, x: {} } } }] }] };
  assert.deepEqual(withoutChecks(compiled), { data: [{ transform: [{ expr: "datum.x > 1" }] }], marks: [{ marks: [{ encode: { update: { x: {} } } }] }] });
});

test("logged points are faint only under a smoothed line", () => {
  const spec = { layer: [{ mark: { type: "line" } }, { mark: { type: "line" } }] };
  assert.deepEqual(withFaintPoints(spec, true)["layer"], [{ mark: { type: "line", opacity: 0.25 } }, { mark: { type: "line" } }]);
  assert.deepEqual(withFaintPoints(spec, false)["layer"], [{ mark: { type: "line", opacity: 1 } }, { mark: { type: "line" } }]);
});

test("a run keeps its colour while others come and go", () => {
  const palette = new Palette();
  palette.assign(["a", "b", "c"]);
  palette.assign(["b", "c", "d"]);
  assert.deepEqual(["a", "b", "c", "d"].map((id) => palette.slot(id)), [undefined, 1, 2, 0]);
  assert.equal(palette.css("d"), "var(--tk-c0)");
  assert.equal(palette.css("a"), null);
});
