/** Runs below their parents: the order of the table where nothing but time decides it. */

export interface Families {
  rows: number[];
  /** How many of its ancestors stand above a row; rows that are not named have none. */
  depths: Map<number, number>;
}

/** Each row is followed by its children, all in the order given. Runs that are each other's parents stand alone at the end. */
export function families(rows: readonly number[], parentOf: (row: number) => number | undefined): Families {
  const here = new Set(rows);
  const children = new Map<number, number[]>();
  const tops: number[] = [];
  for (const row of rows) {
    const parent = parentOf(row);
    if (parent === undefined || !here.has(parent)) tops.push(row);
    else if (!children.get(parent)?.push(row)) children.set(parent, [row]);
  }
  return walk([...tops, ...rows], children);
}

function walk(starts: readonly number[], children: ReadonlyMap<number, number[]>): Families {
  const depths = new Map<number, number>();
  const seen = new Set<number>();
  for (const start of starts) {
    const waiting: [number, number][] = [[start, 0]];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [row, depth] = next;
      if (seen.has(row)) continue;
      seen.add(row);
      if (depth) depths.set(row, depth);
      for (const child of (children.get(row) ?? []).toReversed()) waiting.push([child, depth + 1]);
    }
  }
  return { rows: [...seen], depths };
}
