/** Where the site begins: everything that is stored or loaded is relative to that. */

export const SCHEME_KEY = "scheme";

/** The folder above `assets/`, from which the running script came. */
export function siteRoot(): URL {
  const script = document.currentScript as HTMLScriptElement | null;
  return new URL("..", script?.src ?? location.href);
}

/** Storage is shared by all sites of a host, so keys carry the path of this one. */
export function scopedKey(key: string, scope: URL): string {
  return `${scope.pathname}.tracker.${key}`;
}
