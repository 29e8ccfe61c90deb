/** The page that this script runs on. */
import { find } from "./dom";
import { siteRoot } from "./scope";

export interface Page {
  kind: string;
  element: HTMLElement | null;
  /** Data scripts of the page, as absolute addresses. */
  chunks: string[];
}

// Read while the script runs: afterwards there is no current script.
const root = siteRoot();
const stamp = (document.currentScript as HTMLScriptElement | null)?.src.split("?")[1];

/** An address below the site's root. */
export function siteUrl(path: string): string {
  return new URL(path, root).href;
}

/** An asset of the theme in the same version as this script. */
export function assetUrl(name: string): string {
  return siteUrl(`assets/${name}${stamp ? `?${stamp}` : ""}`);
}

export function scope(): URL {
  return root;
}

export function readPage(): Page {
  const element = find("#tracker-page");
  const chunks = (element?.dataset["chunks"] ?? "").split(" ").filter(Boolean);
  return { kind: element?.dataset["kind"] ?? "", element, chunks: chunks.map(siteUrl) };
}
