import { afterAll, beforeAll, expect, test } from "vitest";
import { ProbeClient, probe } from "../../test/probe-client.ts";
import { startSmallStack } from "../../test/small-stack.ts";
import type { SmallStack } from "../../test/small-stack.ts";

const KV = `
kv_namespaces = [{ binding = "STORE", id = "0" }, { binding = "OTHER", id = "1" }]
`;

let stack: SmallStack;
let client: ProbeClient;
beforeAll(async () => {
  stack = await startSmallStack([probe("probe", KV)]);
  client = new ProbeClient(stack);
});
afterAll(() => stack.stop());

const kv = (method: string, ...args: readonly unknown[]): Promise<unknown> =>
  client.call("STORE", method, ...args);

async function listed(prefix: string, more: object = {}): Promise<{ keys: unknown[]; cursor?: string }> {
  return (await kv("list", { prefix, ...more })) as { keys: unknown[]; cursor?: string };
}

test("a value is there after put, gone after delete, and the last put wins", async () => {
  expect(await kv("get", "life")).toBeNull();
  await kv("put", "life", "first");
  await kv("put", "life", "second");
  expect(await kv("get", "life")).toBe("second");
  await kv("delete", "life");
  expect(await kv("get", "life")).toBeNull();
  // As on Cloudflare, deleting what is not there is no error.
  await kv("delete", "life");
});

test("two namespaces share nothing", async () => {
  await kv("put", "shared?", "no");
  expect(await client.call("OTHER", "get", "shared?")).toBeNull();
});

test("a value reads as text, JSON, bytes and stream, whatever it was written as", async () => {
  const bytes = { $bytes: Buffer.from([0, 255, 128, 10]).toString("base64") };
  await kv("put", "types/bytes", bytes);
  expect(await kv("get", "types/bytes", "arrayBuffer")).toEqual(bytes);
  await kv("put", "types/json", JSON.stringify({ ä: [1, null] }));
  expect(await kv("get", "types/json", "json")).toEqual({ ä: [1, null] });
  await kv("put", "types/stream", { $stream: "flüssig" });
  expect(await kv("get", "types/stream", "text")).toBe("flüssig");
  expect(await kv("get", "types/stream", "stream")).toEqual({ $stream: "flüssig" });
  await kv("put", "types/empty", "");
  expect(await kv("get", "types/empty")).toBe("");
});

test("metadata comes back as it was, and goes with the value that replaces it", async () => {
  const metadata = { owner: "Zoë", list: [1, { deep: '\u{1F511} "quoted"' }] };
  await kv("put", "metadata/a", "v", { metadata });
  expect(await kv("getWithMetadata", "metadata/a")).toMatchObject({ value: "v", metadata });
  expect((await listed("metadata/a")).keys).toEqual([{ name: "metadata/a", metadata }]);
  await kv("put", "metadata/a", "v");
  expect(await kv("getWithMetadata", "metadata/a")).toMatchObject({ value: "v", metadata: null });
});

test.each([
  ["slashes", "/a//b/"],
  ["dots between slashes", "a/../b/./c"],
  ["percent signs", "100%/%2F%zz%"],
  ["a query and a fragment", "a?b=c&urlencoded=false#d"],
  ["spaces and plus signs", " a+b "],
  ["letters of other scripts", "schlüssel/钥匙/\u{1F511}"],
  ["quotes and control characters", "'\"\\\n\t\u0001"],
  ["512 bytes", "ü".repeat(256)],
])("a key with %s is one key of its own", async (_, name) => {
  await kv("put", name, name);
  expect(await kv("get", name)).toBe(name);
  expect((await listed(name)).keys).toEqual([{ name }]);
  await kv("delete", name);
  expect(await kv("get", name)).toBeNull();
});

test.each([
  ["empty", "", /empty/],
  [".", ".", /not allowed as a key name/],
  ["..", "..", /not allowed as a key name/],
  ["longer than 512 bytes", `${"ü".repeat(256)}x`, /512/],
])("a key that is %s is refused", async (_, name, complaint) => {
  for (const [method, ...args] of [["get"], ["put", "v"], ["delete"]] as const)
    await expect(kv(method, name, ...args)).rejects.toThrow(complaint);
});

test("a value of two million bytes is stored; one byte more is refused in words", async () => {
  const value = "x".repeat(2_000_000);
  await kv("put", "large", value);
  expect(await kv("get", "large")).toBe(value);
  await expect(kv("put", "large", `${value}x`)).rejects.toThrow(/values of up to 2000000 bytes/);
  expect(await kv("get", "large")).toBe(value);
});

test("a value lives as long as its expirationTtl or expiration says, and no longer", async () => {
  const now = Math.floor(Date.now() / 1_000);
  await kv("put", "ttl/a", "a", { expirationTtl: 1_000 });
  await kv("put", "ttl/b", "b", { expiration: now + 100_000 });
  await kv("put", "ttl/c", "c");
  const { keys } = await listed("ttl/");
  const [first] = keys as [{ name: string; expiration: number }];
  expect(first.expiration - now).toBeGreaterThanOrEqual(1_000);
  expect(first.expiration - now).toBeLessThan(1_060);
  expect(keys.slice(1)).toEqual([{ name: "ttl/b", expiration: now + 100_000 }, { name: "ttl/c" }]);
  expect(await kv("get", "ttl/a")).toBe("a");
  // Other tests do not mind: what they store has no expiration.
  await stack.operator("POST", "/turn?seconds=2000");
  expect(await kv("get", "ttl/a")).toBeNull();
  expect((await listed("ttl/")).keys).toEqual([
    { name: "ttl/b", expiration: now + 100_000 },
    { name: "ttl/c" },
  ]);
  expect(await kv("get", "ttl/b")).toBe("b");
  // A put without one takes an earlier expiration away.
  await kv("put", "ttl/b", "for ever");
  await stack.operator("POST", "/turn?seconds=200000");
  expect(await kv("get", "ttl/b")).toBe("for ever");
});

test.each([{ expirationTtl: 59 }, { expirationTtl: 0 }, { expiration: 1_000_000_000 }])(
  "an expiration of less than a minute is refused in words: %o",
  async (options) => {
    await expect(kv("put", "short", "v", options)).rejects.toThrow(/at least 60/);
    expect(await kv("get", "short")).toBeNull();
  },
);

test("a listing has the keys of its prefix in the order of their bytes, a page at a time", async () => {
  // UTF-16 would put the emoji before U+FFFD; UTF-8 puts it after. A prefix is no pattern: % and _ stand for themselves.
  const names = [
    "list%_/",
    "list%_/A",
    "list%_/a",
    "list%_/a/b",
    "list%_/ü",
    "list%_/\uFFFD",
    "list%_/\u{1F511}",
  ];
  for (const name of [...names].reverse()) await kv("put", name, "v");
  await kv("put", "listXX/a", "v");
  const seen: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await listed("list%_/", { limit: 3, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.keys.length).toBeLessThanOrEqual(3);
    seen.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(seen).toEqual(names.map((name) => ({ name })));
});

test("what the local edition's KV does not know is refused in words, and does not hang", async () => {
  await expect(kv("get", ["a", "b"])).rejects.toThrow(/one key at a time/);
});

test("a value that was accepted survives kill -9; emptying a namespace empties no other", async () => {
  await kv("put", "kept", "kept", { metadata: 7 });
  await client.call("OTHER", "put", "other", "kept");
  await stack.crash();
  expect(await kv("getWithMetadata", "kept")).toMatchObject({ value: "kept", metadata: 7 });
  expect((await stack.operator("DELETE", "/kv/STORE")).status).toBe(200);
  expect(await kv("get", "kept")).toBeNull();
  expect((await listed("")).keys).toEqual([]);
  expect(await client.call("OTHER", "get", "other")).toBe("kept");
});
