import { h } from "../dom";
import { relative } from "../format";
import { type sparkline as Sparkline, sparkline, sparkPath } from "../spark";
import type { Column } from "./column";
import { isRight } from "./head";

export interface RunInfo {
  id: string;
  name: string;
  /** The name as far as there is room for it. */
  shown: string;
  href: string;
  ticked: boolean;
  colour: string | null;
  /** How many ancestors stand above it. */
  depth: number;
}

const INDENT = 14;
const DEEPEST = 8;

/** Pixels that a name stands in; children of a run start below its name. */
export function indentOf(depth: number): number {
  return Math.max(0, Math.min(depth, DEEPEST) - 1) * INDENT;
}

interface CellParts {
  column: Column;
  element: HTMLTableCellElement;
  text: Text;
  spark: ReturnType<typeof Sparkline> | null;
}

/** A row of the table, made once and filled again with other runs as one scrolls. */
export class Row {
  stale = true;
  readonly element: HTMLTableRowElement;
  private readonly box = h("input", { type: "checkbox" });
  private readonly link = h("a");
  private readonly cells: CellParts[];

  constructor(columns: Column[]) {
    this.cells = columns.map(makeCell);
    const head = h("th", { scope: "row" }, h("span", { class: "tk-run" }, this.box, this.link));
    this.element = h("tr", {}, head, ...this.cells.map((cell) => cell.element));
  }

  fill(row: number, position: number, run: RunInfo): void {
    this.stale = false;
    this.element.setAttribute("aria-rowindex", String(position));
    this.element.classList.toggle("tk-ticked", run.ticked);
    this.box.checked = run.ticked;
    this.box.value = run.id;
    this.box.setAttribute("aria-label", `Choose ${run.name}`);
    this.link.href = run.href;
    this.link.textContent = run.shown;
    this.link.title = run.name;
    if (run.shown === run.name) this.link.removeAttribute("aria-label");
    else this.link.setAttribute("aria-label", run.name);
    this.link.classList.toggle("tk-child", run.depth > 0);
    this.link.style.marginLeft = `${indentOf(run.depth)}px`;
    this.element.classList.toggle("tk-drawn", run.colour !== null);
    this.element.style.setProperty("--run", run.colour ?? "transparent");
    for (const cell of this.cells) fillCell(cell, row);
  }
}

function makeCell(column: Column): CellParts {
  const text = document.createTextNode("");
  const element = h("td", { class: isRight(column) ? "tk-n" : null });
  if (column.id === "run:status") {
    element.append(h("span", {}, text));
    return { column, element, text, spark: null };
  }
  const spark = column.kind === "metric" ? sparkline() : null;
  if (spark) element.append(spark.element);
  element.append(text);
  return { column, element, text, spark };
}

function fillCell(cell: CellParts, row: number): void {
  const { column, element, text, spark } = cell;
  const written = column.text(row);
  text.data = written;
  if (column.id === "run:status") (element.firstChild as HTMLElement).className = `tk-status tk-status--${written}`;
  else if (column.id === "run:start") element.title = relative(column.values[row] as number);
  else if (column.kind !== "run") element.title = written.length > 24 ? written : "";
  if (!spark) return;
  const levels = column.spark(row);
  spark.element.toggleAttribute("hidden", !levels || levels.length < 2);
  spark.path.setAttribute("d", levels && levels.length > 1 ? sparkPath(levels) : "");
}
