/** Above the table: how many runs, which number of a metric, which columns, and the table as CSV. */
import { button, h, plural } from "../dom";
import { save, toCsv } from "../download";
import { count } from "../format";
import { Chooser } from "./chooser";
import type { Stat } from "./column";
import type { RunsView } from "./view";

const STATS: readonly (readonly [Stat, string])[] = [
  ["auto", "Best or last"],
  ["last", "Last"],
  ["best", "Best"],
  ["min", "Min"],
  ["max", "Max"],
  ["mean", "Mean"],
  ["first", "First"],
];

export class Toolbar {
  readonly element = h("div", { class: "tk-toolbar" });
  private readonly found = h("p", { class: "tk-toolbar__found", role: "status" });
  private readonly hint = h("span", { class: "tk-toolbar__hint" });

  constructor(private readonly view: RunsView) {
    const chooser = new Chooser(view);
    const csv = button("CSV", () => save("runs.csv", "text/csv", this.csv()), { title: "Download the rows and columns shown" });
    this.element.append(this.found, this.hint, h("span", { class: "tk-grow" }), this.statChoice(), chooser.button, chooser.panel, csv);
    this.refresh();
  }

  refresh(): void {
    const { data, rows, ticked } = this.view;
    const all = `${count(data.rows)} ${plural(data.rows, "run")}`;
    this.found.textContent = rows.length === data.rows ? all : `${count(rows.length)} of ${all}`;
    this.hint.textContent = ticked.size ? `${count(ticked.size)} ticked` : "Tick runs to compare them";
  }

  private statChoice(): HTMLElement {
    const options = STATS.map(([stat, text]) => h("option", { value: stat, selected: stat === this.view.stat }, text));
    const select = h("select", { class: "tk-select" }, ...options);
    select.addEventListener("change", () => this.view.setStat(select.value as Stat));
    return h("label", { class: "tk-label" }, "Metrics ", select);
  }

  private csv(): string {
    const { data, rows, columns } = this.view;
    const shown = columns.map((id) => data.column(id));
    const head = ["run_id", "run_name", "status", "start_time", "duration_ms", ...shown.map((column) => `${column.kind}s.${column.key}`)];
    const facts = (row: number) => [data.id[row], data.name[row], data.status[row], new Date(data.start[row]!).toISOString(), data.duration[row]];
    return toCsv([head, ...rows.map((row) => [...facts(row), ...shown.map((column) => column.values[row])])]);
  }
}
