/** Reads values off a chart: a line that follows the pointer or the arrow keys, with the values where it stands. */
import { h } from "../dom";
import type { View } from "./bundle";

export interface Spot {
  /** Where the line stands, in data. */
  x: number;
  /** Where dots stand. */
  dots: { y: number; colour: string }[];
  title: string;
  values: { label: string; value: string; colour: string; y?: number }[];
  href?: string;
}

export interface Reading {
  /** The spot nearest to a place; y is given for charts of loose points. */
  at(x: number, y: number, scales: Scales): Spot | null;
  /** The next spot to the left (-1) or right (1). */
  next(x: number, direction: number): number | null;
}

export interface Scales {
  x(value: number): number;
  y(value: number): number;
}

const MOST_VALUES = 12;

export class Reader {
  private readonly rule = h("div", { class: "tk-rule", hidden: true });
  private readonly dots = h("div", { class: "tk-dots", hidden: true });
  private readonly tip = h("div", { class: "tk-tip", role: "status", hidden: true });
  private view: View | null = null;
  private reading: Reading | null = null;
  private spot: Spot | null = null;

  constructor(private readonly plot: HTMLElement) {
    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.addEventListener("pointermove", (event) => this.onPointer(event));
    plot.addEventListener("pointerleave", () => this.hide());
    plot.addEventListener("blur", () => this.hide());
    plot.addEventListener("keydown", (event) => this.onKey(event));
    plot.addEventListener("click", () => this.spot?.href && location.assign(this.spot.href));
  }

  read(view: View, reading: Reading): void {
    this.view = view;
    this.reading = reading;
    this.plot.append(this.rule, this.dots, this.tip);
    this.hide();
  }

  private onPointer(event: PointerEvent): void {
    const canvas = this.plot.querySelector("svg");
    if (!this.view || !canvas) return;
    const box = canvas.getBoundingClientRect();
    const [left, top] = this.corner();
    const pixel = event.clientX - box.left - left;
    const x = Number(this.view.scale("x").invert?.(pixel));
    this.show(this.reading?.at(x, event.clientY - box.top - top, this.scales()) ?? null);
  }

  private onKey(event: KeyboardEvent): void {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") this.hide();
    if (event.key === "Enter" && this.spot?.href) location.assign(this.spot.href);
    if (!direction || !this.reading || !this.view) return;
    event.preventDefault();
    const from = this.spot?.x ?? (direction > 0 ? -Infinity : Infinity);
    const x = this.reading.next(from, direction);
    if (x !== null) this.show(this.reading.at(x, NaN, this.scales()));
  }

  /** Where the plot's own coordinates begin inside the drawing. */
  private corner(): [number, number] {
    const padding = this.view!.padding();
    const [x, y] = this.view!.origin();
    return typeof padding === "number" ? [x + padding, y + padding] : [x + padding.left, y + padding.top];
  }

  private scales(): Scales {
    const x = this.view!.scale("x");
    const y = this.view!.scale("y");
    return { x: (value) => x(value), y: (value) => y(value) };
  }

  private show(spot: Spot | null): void {
    this.spot = spot;
    if (!spot) return this.hide();
    const [left, top] = this.corner();
    const scales = this.scales();
    const x = left + scales.x(spot.x);
    this.rule.style.cssText = `left:${x}px;top:${top}px;height:${this.view!.height()}px`;
    this.dots.replaceChildren(...spot.dots.map(({ y, colour }) => dot(x, top + scales.y(y), colour)));
    const more = spot.values.length - MOST_VALUES;
    this.tip.replaceChildren(h("p", { class: "tk-tip__title" }, spot.title), h("dl", {}, ...spot.values.slice(0, MOST_VALUES).flatMap(valueRow)), more > 0 && h("p", {}, `and ${more} more`) || "");
    for (const part of [this.rule, this.dots, this.tip]) part.hidden = false;
    this.placeTip(x, top);
    this.plot.classList.toggle("tk-plot--link", Boolean(spot.href));
  }

  private placeTip(x: number, top: number): void {
    const room = this.plot.clientWidth;
    const width = this.tip.offsetWidth;
    const left = x + 12 + width > room ? Math.max(0, x - 12 - width) : x + 12;
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${top}px`;
  }

  private hide(): void {
    this.spot = null;
    for (const part of [this.rule, this.dots, this.tip]) part.hidden = true;
  }
}

function dot(x: number, y: number, colour: string): HTMLElement {
  const element = h("span", { class: "tk-dot" });
  element.style.cssText = `left:${x}px;top:${y}px;background:${colour}`;
  return element;
}

function valueRow({ label, value, colour }: Spot["values"][number]): HTMLElement[] {
  const key = h("span", { class: "tk-key" });
  key.style.setProperty("--run", colour);
  return [h("dt", {}, key, label), h("dd", {}, value)];
}
