/** Smoothing, axis and scale of all curves on a page; they stand in the address. */
import { readParam, writeParams } from "../address";
import { button, debounce, h } from "../dom";
import type { XAxis } from "./lines";

export class Controls {
  smoothing: number;
  axis: XAxis;
  log: boolean;
  readonly element: HTMLElement;
  private readonly listeners: (() => void)[] = [];

  constructor() {
    this.smoothing = Math.min(0.99, Math.max(0, Number(readParam("smooth")) || 0));
    this.axis = readParam("x") === "time" ? "time" : "step";
    this.log = readParam("log") === "1";
    this.element = h("div", { class: "tk-controls", role: "group", "aria-label": "Curves" }, this.slider(), this.axes(), this.scale());
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  private changed(): void {
    writeParams({ smooth: this.smoothing ? String(this.smoothing) : null, x: this.axis === "time" ? "time" : null, log: this.log ? "1" : null });
    for (const listener of this.listeners) listener();
  }

  private slider(): HTMLElement {
    const value = h("output", { class: "tk-controls__value" }, this.smoothing.toFixed(2));
    const range = h("input", { type: "range", class: "tk-range", min: 0, max: 0.99, step: 0.01, value: this.smoothing });
    const apply = debounce(40, () => this.changed());
    range.addEventListener("input", () => {
      this.smoothing = Number(range.value);
      value.textContent = this.smoothing.toFixed(2);
      apply();
    });
    return h("label", { class: "tk-label" }, "Smoothing", range, value);
  }

  private axes(): HTMLElement {
    const options = (["step", "time"] as const).map((axis) => {
      const choice = button(axis === "step" ? "Step" : "Time", () => {
        this.axis = axis;
        for (const other of options) other.setAttribute("aria-pressed", String(other === choice));
        this.changed();
      }, { "aria-pressed": String(this.axis === axis) });
      return choice;
    });
    return h("span", { class: "tk-segments", role: "group", "aria-label": "Horizontal axis" }, ...options);
  }

  private scale(): HTMLElement {
    const toggle = button("Log scale", () => {
      this.log = !this.log;
      toggle.setAttribute("aria-pressed", String(this.log));
      this.changed();
    }, { "aria-pressed": String(this.log) });
    return toggle;
  }
}
