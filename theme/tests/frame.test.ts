import assert from "node:assert/strict";
import { test } from "node:test";
import { withParams } from "../src/address";
import { fileName, toCsv } from "../src/download";
import { search } from "../src/search/rank";

const data = {
  pages: [
    { kind: "experiment" as const, title: "digits-sweep", text: "Which family reads digits best?", href: "e" },
    { kind: "section" as const, title: "Setup", text: "We train small models on digits", href: "about.html#setup" },
  ],
  runs: { id: ["01a20640d3d979b9af33a789ac3bdafb", "01a20640d3f475aa8396f5e2009d799a"], name: ["brave-otter", "digits-otter"], experiment: [0, 0] },
};

test("all words of a search must occur; the start of a title comes first", () => {
  assert.deepEqual(search(data, "digits").map((hit) => hit.title), ["digits-sweep", "digits-otter", "Setup", "brave-otter"]);
  assert.deepEqual(search(data, "otter brave").map((hit) => hit.title), ["brave-otter"]);
  assert.deepEqual(search(data, "otter", "run").map((hit) => hit.kind), ["run", "run"]);
  assert.deepEqual(search(data, "   "), []);
  assert.deepEqual(search(data, "nowhere"), []);
});

test("the versions of a model leave room for everything else", () => {
  const versions = Array.from({ length: 60 }, (_, index) => ({ kind: "version" as const, title: `otter ${index}`, text: "Staging", href: `v${index}` }));
  const pages = [...data.pages, { kind: "model" as const, title: "otter", text: "", href: "m" }, ...versions];
  const hits = search({ ...data, pages }, "otter");
  assert.equal(hits[0]?.kind, "model");
  assert.equal(hits.filter((hit) => hit.kind === "version").length, 10);
  assert.equal(hits.filter((hit) => hit.kind === "run").length, 2);
});

test("a run is found by its id, whole or in part", () => {
  assert.deepEqual(search(data, "01a20640d3f475aa8396f5e2009d799a").map((hit) => hit.href), ["runs/01a20640d3f475aa8396f5e2009d799a/index.html"]);
  assert.equal(search(data, "009d799a").length, 1);
  assert.equal(search(data, "01a").length, 0);
});

test("the address keeps what it does not know and stays readable", () => {
  assert.equal(withParams("?x=time&q=old", { q: "a > 1", sort: "-metric:val/acc", runs: "a,b", smooth: null }), "?x=time&q=a+%3E+1&sort=-metric:val/acc&runs=a,b");
  assert.equal(withParams("?q=a", { q: "" }), "");
  assert.equal(withParams("", { col: ["param:lr", "tag:a b"] }), "?col=param:lr&col=tag:a+b");
});

test("CSV quotes what needs quotes, and defuses what a spreadsheet would run", () => {
  assert.equal(toCsv([["a", 'say "hi"', "x,y"], [-1, "=cmd()", null]]), 'a,"say ""hi""","x,y"\r\n-1,\'=cmd(),\r\n');
});

test("a title becomes a plain file name", () => {
  assert.equal(fileName("val/acc @5 ünï", "csv"), "val-acc-5-ünï.csv");
  assert.equal(fileName("../..", "svg"), "chart.svg");
});
