import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { freePorts } from "../ports.ts";
import { runWorkerd } from "../test/run-workerd.ts";
import { renderCapnp } from "./capnp.ts";
import type { WorkerSpec } from "./worker-spec.ts";

const ASCII = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));
const TEXTS = [
  "",
  ASCII,
  '"',
  "\\",
  '\\"',
  "\\x22\\n\\\\",
  // A hexadecimal digit right after an escape is not part of it.
  "\u00010\u001ff\u007fa",
  "two\nlines\r\nand a tab\t",
  "# no comment",
  '"), (name = "INJECTED", text = "1',
  "$(HOME) ${HOME} %s",
  "schlüssel 钥匙 \u{1F511} \u2028 \uFEFF \u0085 \u00A0",
  ...fc.sample(fc.string({ unit: "binary", maxLength: 40 }), { numRuns: 300, seed: 1 }),
  ...fc.sample(
    fc
      .array(fc.constantFrom("\\", '"', "\n", "x", "0", "n", "\u0000", "\u001f", "é", "'"), { maxLength: 12 })
      .map((parts) => parts.join("")),
    { numRuns: 300, seed: 2 },
  ),
];

const SPEC: WorkerSpec = {
  name: "echo",
  configPath: "wrangler.toml",
  compatibilityDate: "2026-10-01",
  compatibilityFlags: [],
  vars: Object.fromEntries(TEXTS.map((text, index) => [`TEXT_${String(index)}`, text])),
  secrets: ["PLAIN", "STRANGE"],
  objects: [],
  namespaces: [],
  services: [],
  producers: [],
  consumers: {},
  crons: [],
  assets: null,
};

test("every text reaches the Worker as it was written, also from a folder whose name needs escaping", async () => {
  const folder = mkdtempSync(join(tmpdir(), "relaykey-capnp-"));
  const home = join(folder, 'a "quoted" \\ schlüssel #1');
  mkdirSync(home);
  const bundle = join(home, "echo.js");
  writeFileSync(bundle, "export default { fetch: (request, env) => Response.json(env) };");
  const secrets = { PLAIN: "secret", STRANGE: 'a "b" \\ = $HOME\nü \u{1F511}' };
  const listen = `127.0.0.1:${String((await freePorts()).proxy)}`;
  try {
    const workerd = await runWorkerd(home, [
      { spec: SPEC, bundle, vars: {}, secrets, outbound: { kind: "nothing" }, listen },
    ]);
    try {
      expect(await (await fetch(`http://${listen}/`)).json()).toEqual({ ...SPEC.vars, ...secrets });
    } finally {
      await workerd.end("SIGKILL");
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("numbers, booleans, lists and structs are written in the language's own words", () => {
  const value = { a: 1, b: true, gone: undefined, c: [], d: ["x", { e: false }] };
  // Where a line breaks means nothing.
  const words = renderCapnp(value).replaceAll(/\s+/g, " ");
  expect(words).toBe('(a = 1, b = true, c = [], d = [ "x", (e = false) ])');
});
