const VARIABLE = /var\((--[\w-]+)\)/g;

/** A chart as a file of its own: CSS variables become the colours that they stand for here and now. */
export function exportSvg(svg: string, within: HTMLElement): string {
  const probe = document.createElement("span");
  within.append(probe);
  const known = new Map<string, string>();
  const resolve = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const resolved = svg.replace(VARIABLE, (_, name: string) => {
    if (!known.has(name)) known.set(name, resolve(name));
    return known.get(name)!;
  });
  probe.remove();
  return resolved;
}
