/** What can be done with the ticked runs: a bar that stays in sight below the table while there are any, and a key. */
import { button, h, plural } from "../dom";
import { count } from "../format";
import { siteUrl } from "../page";
import type { RunsView } from "./view";

export class TickBar {
  readonly element = h("div", { class: "tk-tickbar", role: "region", "aria-label": "Ticked runs" });
  private readonly link = h("a", { class: "tk-button tk-button--primary", "aria-keyshortcuts": "c" });

  constructor(private readonly view: RunsView) {
    const hint = h("span", { class: "tk-toolbar__hint tk-keys" }, "or press ", h("kbd", {}, "c"));
    const clear = button("Clear", () => view.clearTicks(), { class: "tk-button tk-button--quiet" });
    this.element.append(this.link, hint, clear);
    document.addEventListener("keydown", (event) => {
      if (view.ticked.size && isShortcut(event)) this.link.click();
    });
    this.refresh();
  }

  refresh(): void {
    const { ticked } = this.view;
    this.element.hidden = ticked.size === 0;
    this.link.href = siteUrl(`compare/index.html?runs=${[...ticked].join(",")}`);
    this.link.textContent = `Compare ${count(ticked.size)} ${plural(ticked.size, "run")}`;
  }
}

function isShortcut(event: KeyboardEvent): boolean {
  const { target } = event;
  const typing = target instanceof HTMLElement && target.matches("input:not([type=checkbox]), textarea, select, dialog *");
  return event.key === "c" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing;
}
