/** Curves of one metric of several runs, each run loaded when it is first drawn. */
import { load } from "../loader";
import { siteUrl } from "../page";
import type { RunChunk, RunSeries } from "../types";
import type { Spec } from "./bundle";
import type { Controls } from "./controls";
import { curves } from "./curves";
import type { Content } from "./figure";
import { lineOf, timeUnit } from "./lines";

export interface DrawnRun {
  id: string;
  /** Version of the run's chunk, or "" where it is not known. */
  version: string;
  slot: number;
}

export function loadRun({ id, version }: { id: string; version: string }): Promise<RunChunk> {
  return load<RunChunk>(siteUrl(`data/v1/runs/${id}.js${version ? `?${version}` : ""}`));
}

/** What to draw; runs that cannot be loaded or lack the metric are left out. */
export async function overlay(spec: Spec, runs: readonly DrawnRun[], metric: string, controls: Controls): Promise<Content | null> {
  const loaded = await Promise.allSettled(runs.map(loadRun));
  const found: { run: RunChunk; series: RunSeries; slot: number }[] = [];
  loaded.forEach((result, index) => {
    const run = result.status === "fulfilled" ? result.value : undefined;
    const series = run?.series.find((item) => item.metric === metric);
    if (run && series) found.push({ run, series, slot: runs[index]!.slot });
  });
  const unit = timeUnit(found.map(({ series }) => series));
  const lines = found.map(({ run, series, slot }) => lineOf(series, run.name, slot, controls.axis, unit, siteUrl(`runs/${run.id}/index.html`)));
  return curves(spec, lines, { smoothing: controls.smoothing, log: controls.log, axis: controls.axis, unit, yTitle: null });
}
