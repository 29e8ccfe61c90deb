import { startFrame } from "./frame";
import { readPage } from "./page";
import { startCompare } from "./pages/compare";
import { startRun } from "./pages/run";
import { startRuns } from "./pages/runs";

const page = readPage();
const site = startFrame();
const STARTS: Record<string, typeof startRun> = { compare: startCompare, run: startRun, runs: startRuns, experiment: startRuns };

STARTS[page.kind]?.(page, site).catch((error: unknown) => {
  console.error("The interactive part of this page could not start; its text and tables are complete.", error);
});
