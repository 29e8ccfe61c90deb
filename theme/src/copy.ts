import { find, findAll, h, icon } from "./dom";

const COPY = "M5.5 5.5V2.5h8v8h-3M2.5 5.5h8v8h-8z";
const DONE = "m3 8.5 3.5 3.5L13 4.5";
const BACK_MS = 1_500;

/** Puts a copy button beside everything that says what to copy. */
export function startCopying(within: ParentNode = document): void {
  for (const element of findAll("[data-copy]", within)) element.after(copyButton(() => element.dataset["copy"] ?? ""));
  for (const block of findAll("[data-copy-block]", within)) block.before(copyButton(() => block.textContent ?? ""));
}

export function copyButton(text: () => string, label = "Copy"): HTMLButtonElement {
  const made = h("button", { type: "button", class: "tk-copy", "aria-label": label, title: label }, icon(COPY, 14));
  made.addEventListener("click", async () => {
    const done = await copy(text());
    show(made, done ? DONE : COPY, done ? "Copied" : "Select the text and copy it by hand");
    setTimeout(() => show(made, COPY, label), BACK_MS);
  });
  return made;
}

function show(element: HTMLElement, path: string, label: string): void {
  find("path", element)?.setAttribute("d", path);
  element.title = label;
  element.setAttribute("aria-label", label);
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** The clipboard interface needs https; pages from files go the old way. */
function copyBySelection(text: string): boolean {
  const area = h("textarea", { class: "tk-hidden", readonly: true });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
