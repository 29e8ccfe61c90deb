// Builds assets/ from src/ and styles/; with --check, says whether the committed assets are what would be built.
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const ENTRIES = { "early.js": "src/early.ts", "tracker.js": "src/main.ts", "vega.js": "src/vega.ts", "tracker.css": "styles/index.css" };

async function bundle([name, entry]) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    outfile: name,
    bundle: true,
    minify: true,
    format: "iife",
    charset: "utf8",
    legalComments: "none",
    target: ["chrome123", "firefox120", "safari17.5"],
    external: ["data:*"],
    write: false,
    metafile: true,
    logLevel: "warning",
  });
  return { name, bytes: Buffer.from(result.outputFiles[0].contents), inputs: Object.keys(result.metafile.inputs) };
}

function packageFolder(input) {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
}

async function licence(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(here, folder, "package.json"), "utf8"));
  const file = (await readdir(join(here, folder))).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  if (!file) throw new Error(`${name} has no licence file; look for its text and add it to build.mjs`);
  return { title: `${name} ${version} (${license})`, text: (await readFile(join(here, folder, file), "utf8")).trim() };
}

async function licences(bundles) {
  const folders = new Set(bundles.flatMap((item) => item.inputs.map(packageFolder)).filter(Boolean));
  const found = await Promise.all([...folders].sort().map(licence));
  const titles = new Map();
  for (const { title, text } of found) titles.set(text, [...(titles.get(text) ?? []), title]);
  const parts = [...titles].map(([text, names]) => `${names.join("\n")}\n\n${text}\n`);
  const head = "Third-party software in the scripts beside this file. Everything else is part of tracker (MIT).\n";
  return { name: "tracker-licenses.txt", bytes: Buffer.from([head, ...parts].join(`\n${"-".repeat(80)}\n\n`).replaceAll("\r\n", "\n")) };
}

async function isCurrent({ name, bytes }) {
  const committed = await readFile(join(here, "assets", name)).catch(() => Buffer.alloc(0));
  return committed.equals(bytes);
}

const bundles = await Promise.all(Object.entries(ENTRIES).map(bundle));
const favicon = { name: "favicon.svg", bytes: await readFile(join(here, "src/favicon.svg")) };
const files = [...bundles, favicon, await licences(bundles)];

if (process.argv.includes("--check")) {
  const current = await Promise.all(files.map(isCurrent));
  const stale = files.filter((_, index) => !current[index]).map((file) => file.name);
  if (stale.length) {
    console.error(`theme/assets is not what its sources build: ${stale.join(", ")}. Run: npm ci && npm run build`);
    process.exit(1);
  }
} else {
  await mkdir(join(here, "assets"), { recursive: true });
  await Promise.all(files.map((file) => writeFile(join(here, "assets", file.name), file.bytes)));
  for (const file of files) console.log(`${String(file.bytes.length).padStart(8)}  ${file.name}`);
}
