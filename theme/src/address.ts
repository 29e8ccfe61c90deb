/** Every view is a link: what a page shows stands in the query string of its address. */

export type Params = Record<string, string | string[] | null>;

export function readParam(name: string): string | null {
  return new URLSearchParams(location.search).get(name);
}

export function readList(name: string): string[] {
  return new URLSearchParams(location.search).getAll(name);
}

/** The query string with some parameters replaced; null, "" and [] take one out. */
export function withParams(search: string, changes: Params): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    params.delete(name);
    for (const item of Array.isArray(value) ? value : [value]) if (item) params.append(name, item);
  }
  // Commas, colons and slashes are allowed in a query string and easier to read as they are.
  const text = params.toString().replace(/%2C/g, ",").replace(/%3A/g, ":").replace(/%2F/g, "/");
  return text ? `?${text}` : "";
}

/** Replaces the address without a new entry in the history: one goes back to the page before, not to the tick before. */
export function writeParams(changes: Params): void {
  const search = withParams(location.search, changes);
  if (search === location.search) return;
  try {
    history.replaceState(history.state, "", `${location.pathname}${search}${location.hash}`);
  } catch {
    // Some browsers refuse it for files; the page works on, only its address stays as it was.
  }
}
