/** The Vega bundle, loaded when the first chart comes into sight, and what we use of it. */
import { load } from "../loader";
import { assetUrl } from "../page";
import { withoutChecks } from "./spec";

export type Spec = Record<string, unknown>;
export type Datum = Record<string, unknown>;
type Scale = ((value: number) => number) & { invert?: (pixel: number) => number | Date };

export interface View {
  data(name: string, values: Datum[]): View;
  runAsync(): Promise<View>;
  resize(): View;
  width(pixels: number): View;
  height(): number;
  origin(): [number, number];
  padding(): number | { left: number; top: number };
  scale(name: string): Scale;
  toSVG(): Promise<string>;
  finalize(): void;
}

interface Bundle {
  compile(spec: Spec): { spec: Spec };
  parse(spec: Spec, config: undefined, options: { ast: boolean }): unknown;
  View: new (runtime: unknown, options: Record<string, unknown>) => View;
  expressionInterpreter: unknown;
}

declare global {
  interface Window {
    trackerVega?: Bundle;
  }
}

async function bundle(): Promise<Bundle> {
  if (!window.trackerVega) await load(assetUrl("vega.js"));
  if (!window.trackerVega) throw new Error("The chart library could not be loaded. Reload the page.");
  return window.trackerVega;
}

/** Draws a specification as SVG into an element. No eval: expressions go through the interpreter. */
export async function draw(spec: Spec, data: Record<string, Datum[]>, container: HTMLElement): Promise<View> {
  const vega = await bundle();
  const runtime = vega.parse(withoutChecks(vega.compile(spec).spec), undefined, { ast: true });
  const view = new vega.View(runtime, { renderer: "svg", container, hover: false, expr: vega.expressionInterpreter });
  for (const [name, values] of Object.entries(data)) view.data(name, values);
  return view.runAsync();
}
