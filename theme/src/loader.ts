/** Data come as classic scripts that call `tracker(key, data)`: one path for http(s) and file://. */

declare global {
  interface Window {
    tracker: (key: string, data: unknown) => void;
  }
}

const received = new WeakMap<Element, unknown>();
const loading = new Map<string, Promise<unknown>>();

window.tracker = (_key, data) => {
  if (document.currentScript) received.set(document.currentScript, data);
};

/** The data of a script, loaded once however often it is asked for. */
export function load<T>(url: string): Promise<T> {
  const known = loading.get(url);
  if (known) return known as Promise<T>;
  const promise = loadAgain<T>(url);
  loading.set(url, promise);
  return promise;
}

/** The same without looking at what was loaded before. */
export function loadAgain<T>(url: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.addEventListener("load", () => {
      script.remove();
      resolve(received.get(script) as T);
    });
    script.addEventListener("error", () => {
      script.remove();
      loading.delete(url);
      reject(new Error(`${url} could not be loaded. Reload the page; if that does not help, build the site again.`));
    });
    script.src = url;
    document.head.append(script);
  });
}
