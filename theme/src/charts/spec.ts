/** Our copy of a specification: titles and scales are filled in where docs/site-data.md says. */
import type { Spec } from "./bundle";

export interface Axes {
  x: string | null;
  y: string | null;
  xScale?: "linear" | "log";
  yScale?: "linear" | "log";
  /** Ends of the vertical axis, where the values alone would leave it without any extent. */
  yDomain?: [number, number];
  /** Ticks at whole numbers only. */
  xWhole?: boolean;
}

/** Room around the outermost points, in pixels. */
const PADDING = 6;
const FAINT = 0.25;

type Channel = { title?: string | null; scale?: Record<string, unknown> | null } & Record<string, unknown>;
type Encoded = { encoding?: Record<string, Channel>; layer?: Encoded[] } & Spec;

export function withAxes(spec: Spec, axes: Axes, extra: Record<string, unknown> = {}): Spec {
  const copy = structuredClone(spec) as Encoded;
  copy.encoding = { ...copy.encoding, ...(extra as Record<string, Channel>) };
  for (const part of [copy, ...(copy.layer ?? [])]) {
    fill(part.encoding?.["x"], axes.x, axes.xScale);
    fill(part.encoding?.["y"], axes.y, axes.yScale, axes.yDomain);
  }
  const x = copy.encoding["x"];
  if (axes.xWhole && x) x["axis"] = { ...(x["axis"] as object), tickMinStep: 1 };
  return copy;
}

function fill(channel: Channel | undefined, title: string | null, scale: string | undefined, domain?: [number, number]): void {
  if (!channel || !("field" in channel)) return;
  const { zero: _, ...rest } = channel.scale ?? {};
  channel.title = title;
  channel.scale = { ...rest, ...(domain ? { domain } : {}), padding: PADDING, ...(scale ? { type: scale } : {}), ...(channel["type"] === "quantitative" && scale !== "log" ? { zero: false } : {}) };
}

interface Compiled {
  data?: { transform?: { expr?: string }[] }[];
  marks?: CompiledMark[];
}
type CompiledMark = Compiled & { encode?: { update?: Record<string, unknown> } };

/** A compiled specification without its checks for numbers at each point: the data that we bind are finite numbers. */
export function withoutChecks<T extends Compiled>(compiled: T): T {
  for (const data of compiled.data ?? []) {
    if (data.transform) data.transform = data.transform.filter((step) => !step.expr?.startsWith("toNumber("));
  }
  for (const mark of compiled.marks ?? []) {
    delete mark.encode?.update?.["defined"];
    withoutChecks(mark);
  }
  return compiled;
}

/** The first layer, that of the points as logged, as faint as it is drawn under a smoothed line. */
export function withFaintPoints(spec: Spec, faint: boolean): Spec {
  const [points, ...rest] = spec["layer"] as { mark: object }[];
  return { ...spec, layer: [{ ...points, mark: { ...points!.mark, opacity: faint ? FAINT : 1 } }, ...rest] };
}

/** Every line beyond the tenth repeats a colour, so it gets a dash of its own. */
export const DASHED = {
  strokeDash: { field: "dash", type: "nominal", legend: null, scale: { domain: [0, 1, 2, 3], range: [[1, 0], [6, 3], [2, 2], [8, 2, 2, 2]] } },
};

/** Colours, opacities and sizes that stand in the data as they are. */
export const OWN_LOOKS = {
  color: { field: "colour", type: "nominal", scale: null, legend: null },
  opacity: { field: "opacity", type: "quantitative", scale: null, legend: null },
  size: { field: "size", type: "quantitative", scale: null, legend: null },
};
