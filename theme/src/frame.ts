/** What every page has: the switch of schemes, search, footer, titles of times, copy buttons, reload under `tracker serve`. */
import { startCopying } from "./copy";
import { find, findAll } from "./dom";
import { showFooter } from "./footer";
import { relative } from "./format";
import { watchForBuilds } from "./live";
import { load } from "./loader";
import { scope, siteUrl } from "./page";
import { SCHEME_KEY, scopedKey } from "./scope";
import { startSearch } from "./search/dialog";
import type { SiteData } from "./types";

export type Site = Promise<SiteData>;

export function startFrame(): Site {
  const site = load<SiteData>(siteUrl("data/v1/site.js"));
  startScheme();
  tellAddress();
  startSearch(site);
  startCopying();
  titleTimes();
  site.then(showFooter).catch(() => undefined);
  site.then(watchForBuilds).catch(() => undefined);
  return site;
}

function startScheme(): void {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  find("[data-tk-scheme]")?.addEventListener("click", () => {
    const now = root.dataset["mdColorScheme"] ?? (dark.matches ? "slate" : "default");
    const next = now === "slate" ? "default" : "slate";
    root.dataset["mdColorScheme"] = next;
    try {
      localStorage.setItem(scopedKey(SCHEME_KEY, scope()), next);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
  });
}

/** Code that loads something from this site names the address that the reader sees; files have none. */
function tellAddress(): void {
  if (!/^https?:$/.test(location.protocol)) return;
  const address = scope().href.replace(/\/$/, "");
  for (const block of findAll("[data-site-address]")) block.textContent = (block.textContent ?? "").replace(block.dataset["siteAddress"]!, () => address);
}

function titleTimes(): void {
  for (const time of findAll<HTMLTimeElement>("time[datetime]")) {
    const ms = Date.parse(time.dateTime);
    if (!Number.isNaN(ms)) time.title = relative(ms);
  }
}
