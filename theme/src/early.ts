/** Runs in the head, before anything is drawn: the chosen colour scheme, and the few globals that Material expects. */
import { scopedKey, SCHEME_KEY, siteRoot } from "./scope";

type Entry = (key: string, storage?: Storage, scope?: URL) => unknown;

const scope = siteRoot();
const root = document.documentElement;
root.classList.replace("no-js", "js");

try {
  const scheme = localStorage.getItem(scopedKey(SCHEME_KEY, scope));
  if (scheme === "default" || scheme === "slate") root.dataset["mdColorScheme"] = scheme;
} catch {
  // Storage may be forbidden; the page then follows the system.
}

const get: Entry = (key, storage = localStorage, at = scope) => JSON.parse(storage.getItem(`${at.pathname}.${key}`) ?? "null");

Object.assign(window, {
  __md_scope: scope,
  __md_hash: (text: string) => [...text].reduce((sum, character) => (sum << 5) - sum + character.charCodeAt(0), 0),
  __md_get: get,
  __md_set: (key: string, value: unknown, storage = localStorage, at = scope) => {
    try {
      storage.setItem(`${at.pathname}.${key}`, JSON.stringify(value));
    } catch {
      // As above.
    }
  },
});
