// These packages ship no types; src/charts/vega.ts says what we use of them.
declare module "vega-dataflow";
declare module "vega-encode";
declare module "vega-parser";
declare module "vega-transforms";
declare module "vega-view";
declare module "vega-view-transforms";
