/** The files below data/v1/, as docs/site-data.md describes them. */

export type Goal = "maximize" | "minimize" | null;
export type Num = number | "NaN" | "Infinity" | "-Infinity" | null;
export type ParamValue = number | string | boolean | null | { none: true };

export interface SiteData {
  schema: number;
  title: string;
  built: number;
  version: string;
  runs: number;
  experiments: number;
  models: number;
  problems: number;
  search: string;
  charts: string;
  sources: string[];
  live: boolean;
}

export interface SearchPage {
  kind: "experiment" | "model" | "version" | "page" | "section";
  title: string;
  text: string;
  href: string;
}

export interface SearchData {
  pages: SearchPage[];
  runs: { id: string[]; name: string[]; experiment: number[] };
}

export type ParamColumn = { key: string; values: ParamValue[] } | { key: string; dict: ParamValue[]; codes: number[] };

export interface MetricColumn {
  key: string;
  goal: Goal;
  last: Num[];
  last_step: (number | null)[];
  best: Num[];
  best_step: (number | null)[];
  min: Num[];
  max: Num[];
  first: Num[];
  mean: Num[];
  spark: (string | null)[];
}

export interface ExperimentChunk {
  schema: number;
  rows: number;
  experiment: { name: string; href: string; primary: string | null };
  id: string[];
  name: string[];
  status: string[];
  start: number[];
  duration: (number | null)[];
  parent: (string | null)[];
  chunk: string[];
  params: ParamColumn[];
  metrics: MetricColumn[];
  tags: ParamColumn[];
}

export interface RunSeries {
  metric: string;
  total: number;
  step: number[];
  time: number[];
  value: Num[];
}

export interface RunMetrics {
  key: string[];
  goal: Goal[];
  count: number[];
  last: Num[];
  last_step: number[];
  best: Num[];
  best_step: (number | null)[];
  min: Num[];
  min_step: (number | null)[];
  max: Num[];
  max_step: (number | null)[];
  first: Num[];
  mean: Num[];
}

export interface RunChunk {
  schema: number;
  id: string;
  name: string;
  status: string;
  start: number;
  end: number | null;
  parent: string | null;
  experiment: { name: string; href: string };
  params: { key: string[]; value: ParamValue[] };
  tags: { key: string[]; value: string[] };
  metrics: RunMetrics;
  series: RunSeries[];
  full: string | null;
}
