import { s } from "./dom";

const LEVELS = 35;
export const SPARK_WIDTH = 60;
export const SPARK_HEIGHT = 18;
const PAD = 2;

/** The path of a curve written in the characters 0-9a-z; whatever else is a gap. */
export function sparkPath(text: string, width = SPARK_WIDTH, height = SPARK_HEIGHT): string {
  const step = (width - 2 * PAD) / Math.max(1, text.length - 1);
  let path = "";
  let pen = false;
  for (let index = 0; index < text.length; index += 1) {
    const level = parseInt(text[index]!, 36);
    if (Number.isNaN(level)) {
      pen = false;
      continue;
    }
    const x = PAD + index * step;
    const y = height - PAD - (level * (height - 2 * PAD)) / LEVELS;
    path += `${pen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    if (!pen && !/[0-9a-z]/.test(text[index + 1] ?? "-")) path += "h0";
    pen = true;
  }
  return path;
}

/** A word-sized curve, whose path can be changed later. */
export function sparkline(): { element: SVGSVGElement; path: SVGPathElement } {
  const path = s("path", { fill: "none", stroke: "currentColor", "stroke-width": 1.3, "stroke-linejoin": "round", "stroke-linecap": "round" });
  const element = s("svg", { class: "tk-spark", viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`, width: SPARK_WIDTH, height: SPARK_HEIGHT, "aria-hidden": "true" }, path);
  return { element, path };
}
