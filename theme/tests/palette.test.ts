import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** Linear sRGB to what people with a colour deficiency see (Machado, Oliveira and Fernandes 2009, severity 1). */
const EYES = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
const CONE = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]];
const OKLAB = [[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]];
const LEAST_DISTANCE = 0.06;
const LEAST_CONTRAST = 3;

type Vector = number[];
const times = (matrix: number[][], vector: Vector): Vector => matrix.map((row) => row.reduce((sum, item, index) => sum + item * vector[index]!, 0));
const linear = (hex: string): Vector => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
const clipped = (vector: Vector): Vector => vector.map((item) => Math.min(1, Math.max(0, item)));
const oklab = (rgb: Vector): Vector => times(OKLAB, times(CONE, rgb).map(Math.cbrt));
const luminance = (rgb: Vector): number => 0.2126 * rgb[0]! + 0.7152 * rgb[1]! + 0.0722 * rgb[2]!;
const contrast = (a: string, b: string): number => {
  const [dark, light] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
};

const css = readFileSync(new URL("../styles/tokens.css", import.meta.url), "utf8");
const pair = (name: string): [string, string] => {
  const found = new RegExp(`--tk-${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css);
  assert.ok(found, name);
  return [found[1]!, found[2]!];
};
const colours = Array.from({ length: 10 }, (_, index) => pair(`c${index}`));
const grounds = pair("bg");

for (const [scheme, name] of ["light", "dark"].entries()) {
  test(`ten colours differ from each other for all eyes (${name})`, () => {
    for (const [eye, matrix] of Object.entries(EYES)) {
      const seen = colours.map((colour) => oklab(clipped(times(matrix, linear(colour[scheme]!)))));
      seen.forEach((a, i) => seen.slice(0, i).forEach((b, j) => assert.ok(Math.hypot(...a.map((item, axis) => item - b[axis]!)) >= LEAST_DISTANCE, `${eye}: c${i} and c${j}`)));
    }
  });

  test(`each of the ten colours stands out from the page (${name})`, () => {
    colours.forEach((colour, index) => assert.ok(contrast(colour[scheme]!, grounds[scheme]!) >= LEAST_CONTRAST, `c${index}`));
  });

  test(`texts and states are readable on the page (${name})`, () => {
    for (const text of ["text", "text-2", "text-3", "accent", "finished", "running", "failed", "killed", "stale"]) {
      assert.ok(contrast(pair(text)[scheme]!, grounds[scheme]!) >= 4.5, text);
      assert.ok(contrast(pair(text)[scheme]!, pair("bg-soft")[scheme]!) >= 4.5, `${text} on soft`);
    }
  });
}
