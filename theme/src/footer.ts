import { append, find, h, plural } from "./dom";
import { count, date, relative } from "./format";
import { siteUrl } from "./page";
import type { SiteData } from "./types";

/** Says what was built when, with how many problems, and where the data are. */
export function showFooter(site: SiteData): void {
  const line = find("[data-tk-footer]");
  if (!line) return;
  const built = h("time", { datetime: new Date(site.built).toISOString(), title: relative(site.built) }, date(site.built));
  const parts = [
    `${count(site.runs)} ${plural(site.runs, "run")} in ${count(site.experiments)} ${plural(site.experiments, "experiment")}`,
    site.models > 0 && `${count(site.models)} ${plural(site.models, "model")}`,
    site.problems ? h("a", { href: siteUrl("problems/index.html") }, `${count(site.problems)} ${plural(site.problems, "problem")}`) : "no problems",
    h("a", { href: siteUrl("data/v1/site.js") }, "data"),
  ];
  const from = site.sources.length > 0 ? ` from ${site.sources.join(", ")}` : "";
  line.replaceChildren("Built ", built, ` by tracker ${site.version}${from}`);
  for (const part of parts) if (part) append(line, [" · ", part]);
}
