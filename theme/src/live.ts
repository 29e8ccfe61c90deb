import { button, h } from "./dom";
import { loadAgain } from "./loader";
import { siteUrl } from "./page";
import type { SiteData } from "./types";

const EVERY_MS = 2_000;

/** Under `tracker serve`: asks for site.js again and again, and offers a reload once the site was built anew. */
export function watchForBuilds(site: SiteData): void {
  if (!site.live) return;
  const timer = setInterval(async () => {
    if (document.hidden) return;
    const now = await loadAgain<SiteData>(siteUrl(`data/v1/site.js?${Date.now()}`)).catch(() => site);
    if (now.built === site.built) return;
    clearInterval(timer);
    offerReload();
  }, EVERY_MS);
}

function offerReload(): void {
  const reload = button("Reload", () => location.reload(), { class: "tk-button tk-button--primary" });
  document.body.append(h("div", { class: "tk-toast", role: "status" }, "New results have arrived.", reload));
}
