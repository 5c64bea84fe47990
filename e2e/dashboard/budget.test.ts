import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { CLIENT, manifest } from "./manifest.ts";
import type { Module } from "./manifest.ts";

const MAX_GZIP_BYTES = 120 * 1_024;

/** Bytes of script (gzip) that a browser loads for a page and all that is around it, each file once. */
function weigh(route: string): number {
  const files = new Set<string>();
  const add = ({ module, imports = [] }: Module): void => {
    for (const file of [module, ...imports]) files.add(file);
  };
  add(manifest.entry);
  for (let id: string | undefined = route; id !== undefined; id = manifest.routes[id]?.parentId) {
    const found = manifest.routes[id];
    if (found !== undefined) add(found);
  }
  return [...files].reduce(
    (sum, file) => sum + gzipSync(readFileSync(`${CLIENT}${file.slice(1)}`)).length,
    0,
  );
}

const PAGES = Object.keys(manifest.routes).filter((id) => id.startsWith("routes/"));

test("there are pages to measure", () => {
  expect(PAGES.length).toBeGreaterThan(10);
});

test.each(PAGES)("%s, with the frame around it, is within 120 KB of script (gzip)", (page) => {
  const bytes = weigh(page);
  expect(bytes).toBeGreaterThan(50_000);
  expect(bytes).toBeLessThan(MAX_GZIP_BYTES);
});
