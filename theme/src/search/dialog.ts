/** The search dialog: a combobox over a list, loaded when it is first opened. "/" or Ctrl-K opens it. */
import { find, findAll, h } from "../dom";
import { load } from "../loader";
import { siteUrl } from "../page";
import type { SearchData, SiteData } from "../types";
import { type Hit, search } from "./rank";

const KIND = { experiment: "Experiment", model: "Model", version: "Version", page: "Page", section: "Section", run: "Run" } as const;

export function startSearch(site: Promise<SiteData>): void {
  let dialog: SearchDialog | null = null;
  const open = () => {
    dialog ??= new SearchDialog(site, { label: "Search experiments, runs, models and pages" });
    dialog.open();
  };
  find("[data-tk-search]")?.addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (!isShortcut(event)) return;
    event.preventDefault();
    open();
  });
}

function isShortcut(event: KeyboardEvent): boolean {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) return true;
  return event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName));
}

export interface SearchOptions {
  label: string;
  only?: Hit["kind"];
  /** What choosing does; without it, one goes to what was found. */
  pick?: (hit: Hit) => void;
}

let dialogs = 0;

export class SearchDialog {
  private readonly id = `tk-search-${(dialogs += 1)}`;
  private readonly input: HTMLInputElement;
  private readonly list: HTMLElement;
  private readonly state = h("p", { class: "tk-search__state", role: "status" });
  private readonly element: HTMLDialogElement;
  private active = -1;
  private hits: Hit[] = [];

  constructor(
    private readonly site: Promise<SiteData>,
    private readonly options: SearchOptions,
  ) {
    this.input = h("input", { type: "search", class: "tk-search__input", placeholder: options.label, "aria-label": options.label, role: "combobox", "aria-expanded": "false", "aria-controls": this.id, "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false" });
    this.list = h("div", { id: this.id, class: "tk-search__list", role: "listbox", "aria-label": "Found" });
    this.element = h("dialog", { class: "tk-search", "aria-label": options.label }, this.input, this.list, this.state);
    this.list.addEventListener("click", (event) => this.onClick(event));
    this.input.addEventListener("input", () => this.update());
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("click", (event) => event.target === this.element && this.element.close());
    document.body.append(this.element);
  }

  open(): void {
    if (this.element.open) return;
    this.element.showModal();
    this.input.select();
    void this.update();
  }

  private async update(): Promise<void> {
    const query = this.input.value;
    try {
      const site = await this.site;
      const data = await load<SearchData>(siteUrl(site.search));
      if (query === this.input.value) this.show(search(data, query, this.options.only), query);
    } catch (error) {
      this.state.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  private show(hits: Hit[], query: string): void {
    this.hits = hits;
    this.list.replaceChildren(...hits.map((hit, index) => option(hit, `${this.id}-${index}`)));
    this.input.setAttribute("aria-expanded", String(hits.length > 0));
    this.mark(hits.length ? 0 : -1);
    const none = `Nothing is called or says “${query.trim()}”. Values of runs are found by queries on the runs page.`;
    this.state.textContent = query.trim() && !hits.length ? none : "";
    this.state.hidden = !this.state.textContent;
  }

  private mark(index: number): void {
    const options = findAll("[role=option]", this.list);
    options[this.active]?.setAttribute("aria-selected", "false");
    this.active = options.length ? (index + options.length) % options.length : -1;
    const chosen = options[this.active];
    chosen?.setAttribute("aria-selected", "true");
    chosen?.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", chosen?.id ?? "");
  }

  private onKey(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      this.mark(this.active + step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      find<HTMLAnchorElement>("[aria-selected=true]", this.list)?.click();
    }
  }

  private onClick(event: MouseEvent): void {
    const chosen = (event.target as Element).closest("[role=option]");
    const hit = chosen && this.hits[[...this.list.children].indexOf(chosen)];
    if (!hit || !this.options.pick) return;
    event.preventDefault();
    this.element.close();
    this.options.pick(hit);
  }
}

function option(hit: Hit, id: string): HTMLAnchorElement {
  const detail = hit.detail && h("span", { class: "tk-search__detail" }, hit.detail);
  const attributes = { id, role: "option", "aria-selected": "false", href: siteUrl(hit.href), tabindex: -1 };
  return h("a", attributes, h("span", { class: "tk-search__title" }, hit.title), h("span", { class: "tk-search__kind" }, KIND[hit.kind]), detail);
}
