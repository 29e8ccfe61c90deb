/** The query: what it means is decided in src/query, here it is typed, tried and its mistakes are shown where they are. */
import { debounce, h } from "../dom";
import type { RunsView } from "./view";

export interface Mistake {
  position: number;
  message: string;
}
export type Compile = (query: string) => { match: (row: number) => boolean } | { mistake: Mistake };

const WAIT_MS = 120;

export class QueryBar {
  readonly element: HTMLFormElement;
  private readonly input: HTMLInputElement;
  private readonly state = h("p", { class: "tk-query__state", id: "tk-query-state", role: "status" });

  constructor(
    private readonly view: RunsView,
    private readonly compile: Compile,
    example: string,
  ) {
    this.input = h("input", { type: "search", class: "tk-input tk-query__input", "aria-describedby": "tk-query-state", placeholder: example, autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "search" });
    this.input.value = view.query;
    this.element = h("form", { class: "tk-query", role: "search" }, h("label", { class: "tk-query__label" }, h("span", {}, "Where"), this.input), this.state);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.apply();
    });
    this.input.addEventListener("input", debounce(WAIT_MS, () => this.apply()));
    if (view.query) this.apply();
  }

  private apply(): void {
    const query = this.input.value;
    const compiled = query.trim() ? this.compile(query) : null;
    const mistake = compiled && "mistake" in compiled ? compiled.mistake : null;
    this.input.setAttribute("aria-invalid", String(mistake !== null));
    this.state.replaceChildren(...(mistake ? this.explained(query, mistake) : []));
    if (!mistake) this.view.setQuery(query, compiled && "match" in compiled ? compiled.match : null);
  }

  /** Where it went wrong, what was expected, and which rows and charts are meanwhile shown. */
  private explained(query: string, mistake: Mistake): Node[] {
    const { query: shown } = this.view;
    const rest = this.view.isFiltered ? [" The rows and charts still answer ", h("code", {}, shown), "."] : [" All runs are shown."];
    return [marked(query, mistake), h("span", {}, mistake.message, ...rest)];
  }
}

/** The query with a mark where it went wrong. Positions count characters, not code units. */
function marked(query: string, { position }: Mistake): HTMLElement {
  const characters = [...query];
  const at = characters[position] ?? " ";
  return h("code", { class: "tk-query__echo" }, characters.slice(0, position).join(""), h("mark", {}, at), characters.slice(position + 1).join(""));
}
