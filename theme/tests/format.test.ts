import assert from "node:assert/strict";
import { test } from "node:test";
import { columnFormat, count, date, duration, number, relative, toNumber, value } from "../src/format";

test("numbers have five significant digits and no trailing zeros, as site_builder/figures.py writes them", () => {
  const cases: [number | null, string][] = [
    [0.972222222, "0.97222"],
    [0.5, "0.5"],
    [1.5e-5, "1.5e-5"],
    [0.0001, "0.0001"],
    [1e6, "1000000"],
    [12345678, "1.2346e7"],
    [123456.7, "1.2346e5"],
    [99999.5, "1e5"],
    [-0.25, "-0.25"],
    [NaN, "NaN"],
    [Infinity, "∞"],
    [-Infinity, "-∞"],
    [null, "–"],
  ];
  for (const [item, text] of cases) assert.equal(number(item), text);
});

test("params keep what was typed, without the noise of binary fractions", () => {
  assert.equal(value(0.1 + 0.2), "0.3");
  assert.equal(value(true), "true");
  assert.equal(value(null), "null");
  assert.equal(value("<b>"), "<b>");
});

test("durations have at most two units", () => {
  const cases: [number, string][] = [
    [340, "340 ms"],
    [1_000, "1 s"],
    [12_345, "12.3 s"],
    [59_960, "1 min"],
    [252_000, "4 min 12 s"],
    [3_600_000, "1 h"],
    [112_400_000, "1 d 7 h"],
  ];
  for (const [ms, text] of cases) assert.equal(duration(ms), text);
  assert.equal(duration(null), "–");
});

test("dates are absolute, their relatives are rough", () => {
  assert.equal(date(Date.UTC(2026, 10, 23, 1, 48, 5)), "2026-11-23 01:48 UTC");
  assert.equal(date(9e15), "9000000000000000 ms");
  assert.equal(relative(0, 30_000), "just now");
  assert.equal(relative(0, 3_700_000), "1 hour ago");
  assert.equal(relative(0, 5 * 86_400_000), "5 days ago");
  assert.equal(count(50_000), "50,000");
});

test("a number that is not finite travels as text", () => {
  assert.deepEqual(["NaN", "Infinity", "-Infinity", 1, null, "x"].map((item) => toNumber(item)), [NaN, Infinity, -Infinity, 1, null, null]);
});

test("the numbers of a column are written as everywhere, point under point", () => {
  const write = (values: number[]) => values.map(columnFormat(values)).map((text) => text.replace(/[\u2007\u2008]/g, "_"));
  assert.deepEqual(write([0.98148, 0.95, 1]), ["0.98148", "0.95___", "1______"]);
  assert.deepEqual(write([1, 20, 300]), ["1", "20", "300"]);
  assert.deepEqual(write([7.3e-6, 0.36, 2]), ["7.3e-6", "0.36", "2___"]);
  assert.deepEqual(write([NaN, 0.25]), ["NaN", "0.25"]);
  assert.deepEqual(write([]), []);
});
