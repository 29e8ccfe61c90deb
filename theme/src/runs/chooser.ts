/** Which columns the table has: a list of checkboxes that opens over the page. */
import { find, findAll, h } from "../dom";
import type { RunsView } from "./view";

const KINDS = [
  ["metric", "Metrics"],
  ["param", "Parameters"],
  ["tag", "Tags"],
] as const;
const SEARCH_FROM = 12;

export class Chooser {
  readonly panel = h("div", { class: "tk-popover", popover: "auto", id: "tk-columns", role: "dialog", "aria-label": "Columns" });
  readonly button = h("button", { type: "button", class: "tk-button", popovertarget: "tk-columns" }, "Columns");

  constructor(private readonly view: RunsView) {
    this.panel.addEventListener("beforetoggle", (event) => (event as ToggleEvent).newState === "open" && this.fill());
    this.panel.addEventListener("toggle", (event) => (event as ToggleEvent).newState === "open" && this.place());
    this.panel.addEventListener("change", () => this.apply());
  }

  private fill(): void {
    const groups = KINDS.map(([kind, title]) => this.group(kind, title)).filter((group) => group !== null);
    this.panel.replaceChildren(...groups);
    if (findAll("label", this.panel).length >= SEARCH_FROM) this.panel.prepend(this.filter());
  }

  private group(kind: (typeof KINDS)[number][0], title: string): HTMLElement | null {
    const keys = this.view.data.keys(kind);
    if (!keys.length) return null;
    const boxes = keys.map((key) => {
      const id = `${kind}:${key}`;
      return h("label", { class: "tk-check" }, h("input", { type: "checkbox", value: id, checked: this.view.columns.includes(id) }), h("span", {}, key));
    });
    return h("fieldset", { class: "tk-choices" }, h("legend", {}, title), ...boxes);
  }

  private filter(): HTMLInputElement {
    const input = h("input", { type: "search", class: "tk-input", placeholder: "Find a column", "aria-label": "Find a column" });
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      for (const label of findAll("label", this.panel)) label.hidden = !label.textContent?.toLowerCase().includes(wanted);
    });
    return input;
  }

  /** Columns keep their order; new ones go behind those of their kind. */
  private apply(): void {
    const wanted = findAll<HTMLInputElement>("input:checked", this.panel).map((box) => box.value);
    const kept = this.view.columns.filter((id) => wanted.includes(id));
    const added = wanted.filter((id) => !kept.includes(id));
    const order = ["metric", "param", "tag"];
    const kind = (id: string) => order.indexOf(id.slice(0, id.indexOf(":")));
    this.view.setColumns([...kept, ...added].sort((a, b) => kind(a) - kind(b)));
  }

  private place(): void {
    const box = this.button.getBoundingClientRect();
    const left = Math.max(8, Math.min(box.right - this.panel.offsetWidth, innerWidth - this.panel.offsetWidth - 8));
    const below = innerHeight - box.bottom > Math.min(this.panel.offsetHeight, 320);
    this.panel.style.left = `${left}px`;
    this.panel.style.top = below ? `${box.bottom + 4}px` : `${Math.max(8, box.top - this.panel.offsetHeight - 4)}px`;
    find<HTMLInputElement>("input", this.panel)?.focus();
  }
}
