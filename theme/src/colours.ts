/** Which run has which of the ten colours; a run keeps its colour while others come and go. */

export const COLOURS = 10;

export class Palette {
  private readonly slots = new Map<string, number>();

  /** Gives colours to exactly these ids. */
  assign(ids: readonly string[]): void {
    const wanted = new Set(ids);
    for (const id of [...this.slots.keys()]) if (!wanted.has(id)) this.slots.delete(id);
    const taken = new Set(this.slots.values());
    let next = 0;
    for (const id of ids) {
      if (this.slots.has(id)) continue;
      while (taken.has(next)) next += 1;
      this.slots.set(id, next);
      taken.add(next);
    }
  }

  /** The place in the order of colours: beyond the tenth, colours come again with another dash. */
  slot(id: string): number | undefined {
    return this.slots.get(id);
  }

  css(id: string): string | null {
    const slot = this.slots.get(id);
    return slot === undefined ? null : cssColour(slot);
  }
}

export function cssColour(slot: number): string {
  return `var(--tk-c${slot % COLOURS})`;
}
