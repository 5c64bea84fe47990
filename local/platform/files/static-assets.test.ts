import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { probe } from "../../test/probe-client.ts";
import { startSmallStack } from "../../test/small-stack.ts";
import type { SmallStack } from "../../test/small-stack.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const AT_THE_PROBE = { status: 200, text: "GET at the probe" };

let folder = "";
let stack: SmallStack;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "relaykey-assets-"));
  const site = join(folder, "public");
  mkdirSync(join(site, "assets"), { recursive: true });
  writeFileSync(join(site, "page.HTML"), "<p>page</p>");
  writeFileSync(join(site, "assets", "app-1a2b.js"), "run();");
  writeFileSync(join(site, "schlüssel 1.unknown"), "bytes");
  writeFileSync(join(folder, "secret.txt"), "not for the public");
  stack = await startSmallStack([
    probe("probe", `assets = { directory = ${JSON.stringify(site)}, binding = "ASSETS" }\n`),
  ]);
});
afterAll(async () => {
  // The folder first: without it the stack may not have started.
  rmSync(folder, { recursive: true, force: true });
  await stack.stop();
});

/** Sends the path as it is written: `fetch` would tidy it first. */
function ask(path: string, method = "GET"): Promise<Answer> {
  const { hostname, port } = new URL(stack.url("probe"));
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    })
      .on("error", reject)
      .end();
  });
}

test.each([
  ["/page.HTML", "<p>page</p>", "text/html; charset=utf-8", "no-cache"],
  ["/page.HTML?v=1", "<p>page</p>", "text/html; charset=utf-8", "no-cache"],
  ["/assets/app-1a2b.js", "run();", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
  ["/schl%C3%BCssel%201.unknown", "bytes", "application/octet-stream", "no-cache"],
])("%s is a file of the build, with the media type of its name", async (path, text, type, cache) => {
  const answer = await ask(path);
  expect(answer).toMatchObject({ status: 200, text });
  expect(answer.headers).toMatchObject({
    "content-type": type,
    "cache-control": cache,
    "x-content-type-options": "nosniff",
  });
  const head = await ask(path, "HEAD");
  expect(head).toMatchObject({ status: 200, text: "" });
  expect(head.headers["content-length"]).toBe(String(text.length));
});

test.each(["/", "/assets", "/assets/", "/nothing.js", "/page.HTML/", "/page.HTML/x"])(
  "%s is no file, and reaches the Worker",
  async (path) => {
    expect(await ask(path)).toMatchObject(AT_THE_PROBE);
  },
);

test("only reading is the files' business", async () => {
  expect(await ask("/page.HTML", "POST")).toMatchObject({ status: 200, text: "POST at the probe" });
});

test.each([
  "/../secret.txt",
  "/%2e%2e/secret.txt",
  "/..%2fsecret.txt",
  "/assets/..%2f..%2fsecret.txt",
  "/..%5csecret.txt",
  "//secret.txt",
  "/%2fetc%2fpasswd",
  "/.%00/secret.txt",
])("%s does not leave the folder", async (path) => {
  const { status, text } = await ask(path);
  expect(text).not.toContain("not for the public");
  expect({ status, text }).toEqual(AT_THE_PROBE);
});
