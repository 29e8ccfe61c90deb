import type { Spec } from "./charts/bundle";

/** The chunk with the chart specifications. */
export interface Specs {
  curves: Spec;
  scatter: Spec;
  progress: Spec;
}
