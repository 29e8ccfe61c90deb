/** Which entries answer a search, best first. Pure, so that it can be tested without a page. */
import type { SearchData, SearchPage } from "../types";

export interface Hit {
  kind: SearchPage["kind"] | "run";
  title: string;
  detail: string;
  href: string;
}

const MOST = 40;
/** Shorter parts of an id are found in too many of them. */
const LEAST_ID = 4;
/** Versions among them: a model of many would fill the list. */
const MOST_VERSIONS = 10;
const KIND_BONUS = { experiment: 3, model: 3, page: 2, section: 1, version: 0 } as const;

/** Every word of the query must occur; a start of the title beats a start of a word, that beats the middle, that the text. */
export function search(data: SearchData, query: string, only?: Hit["kind"]): Hit[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const scored = only === "run" ? runHits(data, words) : [...pageHits(data, words), ...runHits(data, words)];
  scored.sort((a, b) => b.score - a.score);
  let versions = 0;
  return scored.filter((item) => !item.isVersion || (versions += 1) <= MOST_VERSIONS).slice(0, MOST).map((item) => item.hit());
}

interface Scored {
  score: number;
  isVersion?: boolean;
  hit: () => Hit;
}

function pageHits(data: SearchData, words: string[]): Scored[] {
  const found: Scored[] = [];
  for (const page of data.pages) {
    const score = scoreOf(page.title.toLowerCase(), page.text.toLowerCase(), words);
    if (score > 0) found.push({ score: score + KIND_BONUS[page.kind], isVersion: page.kind === "version", hit: () => ({ kind: page.kind, title: page.title, detail: excerpt(page.text, words), href: page.href }) });
  }
  return found;
}

function runHits(data: SearchData, words: string[]): Scored[] {
  const { id, name, experiment } = data.runs;
  const found: Scored[] = [];
  for (let row = 0; row < id.length; row += 1) {
    const place = data.pages[experiment[row] ?? -1]?.title ?? "";
    const score = scoreOf(name[row]!.toLowerCase(), place.toLowerCase(), words, id[row]);
    if (score > 0) found.push({ score, hit: () => ({ kind: "run", title: name[row]!, detail: `${place} · ${id[row]!.slice(-8)}`, href: `runs/${id[row]}/index.html` }) });
  }
  return found;
}

function scoreOf(title: string, text: string, words: string[], id = ""): number {
  let sum = 0;
  for (const word of words) {
    const score = scoreOfWord(title, text, word) || (word.length >= LEAST_ID && id.includes(word) ? 4 : 0);
    if (!score) return 0;
    sum += score;
  }
  return sum + 1 / (1 + title.length);
}

function scoreOfWord(title: string, text: string, word: string): number {
  const at = title.indexOf(word);
  if (at === 0) return title.length === word.length ? 40 : 24;
  if (at > 0) return /[^a-z0-9]/.test(title[at - 1]!) ? 16 : 10;
  return text.includes(word) ? 4 : 0;
}

function excerpt(text: string, words: string[]): string {
  const lower = text.toLowerCase();
  const first = Math.max(0, Math.min(...words.map((word) => lower.indexOf(word)).filter((at) => at >= 0), Infinity) - 30);
  const start = Number.isFinite(first) ? first : 0;
  return `${start ? "…" : ""}${text.slice(start, start + 120)}${text.length > start + 120 ? "…" : ""}`;
}
