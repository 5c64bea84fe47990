import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StartError } from "./config/error.ts";
import { SITES, claimPorts, freePorts } from "./ports.ts";
import { StateFolder } from "./state.ts";

let path = "";
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "relaykey-state-"));
});
afterEach(() => {
  rmSync(path, { recursive: true, force: true });
});

test("secrets are made once, are different each time, and only their owner may read them", () => {
  const first = new StateFolder(join(path, "a")).secrets();
  expect(new StateFolder(join(path, "a")).secrets()).toEqual(first);
  const other = new StateFolder(join(path, "b")).secrets();
  for (const name of Object.keys(first) as (keyof typeof first)[]) expect(other[name]).not.toBe(first[name]);
  expect(statSync(join(path, "a", "secrets.json")).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, "a")).mode & 0o777).toBe(0o700);
});

test.each(["RELAYKEY_TOKEN_KEY", "RELAYKEY_MASTER_KEY", "RELAYKEY_PLATFORM_TOKEN", "SQL_PASSWORD"])(
  "%s missing or malformed stops the start with a sentence that names it",
  (name) => {
    new StateFolder(path).secrets();
    const file = join(path, "secrets.json");
    const whole = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
    for (const value of [undefined, "", 7]) {
      writeFileSync(file, JSON.stringify({ ...whole, [name]: value }));
      expect(() => new StateFolder(path).secrets()).toThrow(StartError);
      expect(() => new StateFolder(path).secrets()).toThrow(name);
    }
  },
);

test("a file that is not JSON is named, and left as it is", () => {
  const file = join(path, "secrets.json");
  writeFileSync(file, "{");
  expect(() => new StateFolder(path).secrets()).toThrow(file);
  expect(readFileSync(file, "utf8")).toBe("{");
});

test("a taken port is named, with what it was for", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const problem: unknown = await claimPorts(port - 1).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(StartError);
    // Its lower neighbour may be taken too, by something else; either way a port of ours is named.
    expect((problem as Error).message).toMatch(
      new RegExp(`Port (?:${String(port)} \\(for ${SITES[1]}\\)|${String(port - 1)} )`),
    );
  } finally {
    server.close();
  }
});

test("free ports are neighbours that nobody has and that have no other purpose yet", async () => {
  // The same dice twice: without the promise the second five would be the first ones again.
  const dice = vi.spyOn(Math, "random");
  try {
    const first = Object.values(await freePorts());
    expect(first).toEqual(SITES.map((_, index) => (first[0] ?? 0) + index));
    const roll = dice.mock.results.at(-1)?.value as number;
    // The first roll overlaps at the end of the five.
    dice.mockReturnValueOnce(roll).mockReturnValueOnce(roll + 4 / 30_000);
    const second = Object.values(await freePorts(first));
    expect(second.filter((port) => first.includes(port))).toEqual([]);
  } finally {
    dice.mockRestore();
  }
});
