import { expect, test } from "vitest";
import { toHex } from "../bytes.ts";
import { dueDay } from "./due.ts";
import { hashEntry } from "./entry.ts";
import type { BatchEntry, RetentionEntry } from "./entry.ts";
import { openSigner, readChainKeys, signatureChecker } from "./keys.ts";
import { hashLeaf } from "./leaf.ts";
import type { AuditFacts } from "./leaf.ts";

/** What is expected here was computed by another program (Python: json.dumps with sorted keys, hashlib, cryptography). */

const EVENT: AuditFacts = {
  requestId: "01890a5d-ac96-774b-bcce-b302099a8059",
  at: Date.parse("2026-02-03T04:05:06.789Z"),
  organizationId: "01890a5d-ac96-774b-bcce-b302099a8056",
  integrationId: "01890a5d-ac96-774b-bcce-b302099a8057",
  integrationSlug: "openai",
  keyId: "01890a5d-ac96-774b-bcce-b302099a8058",
  holderId: null,
  method: "POST",
  path: '/v1/"x"\\ü/漢字',
  query: null,
  decision: "blocked",
  reason: "scope_path",
  outcome: "completed",
  status: 403,
  upstreamStatus: null,
  ip: "2001:db8::1",
  userAgent: "",
  durationMs: 3,
  bytesIn: 0,
  bytesOut: 2 ** 40,
  droppedHeaders: ["cookie", "x-a"],
};

const BATCH: BatchEntry = {
  v: 1,
  kind: "batch",
  organizationId: EVENT.organizationId ?? "",
  sequence: 7,
  previous: "ab".repeat(32),
  writtenAt: Date.parse("2026-02-03T04:05:07.000Z"),
  root: "cd".repeat(32),
  count: 3,
  day: "2026-02-03",
  retentionDays: 30,
  first: "01890a5d-ac96-774b-bcce-b302099a8059",
  last: "01890a5d-ac96-774b-bcce-b302099a805a",
};

const RETENTION: RetentionEntry = {
  v: 1,
  kind: "retention",
  organizationId: BATCH.organizationId,
  sequence: 8,
  previous: "ab".repeat(32),
  writtenAt: BATCH.writtenAt,
  retentionDays: 7,
};

test("an event has the hash that another program gives it", async () => {
  expect(toHex(await hashLeaf(EVENT))).toBe(
    "b27d3841c60e46845423c14aee60b06115bf6157489d228727406db0c4404982",
  );
});

test("null and an empty text, a list and a text of its parts, are not the same event", async () => {
  const hash = async (changes: Partial<AuditFacts>) => toHex(await hashLeaf({ ...EVENT, ...changes }));
  const hashes = [
    {},
    { userAgent: null },
    { query: "" },
    { droppedHeaders: ["cookie,x-a"] },
    { droppedHeaders: [] },
    { path: EVENT.method, method: EVENT.path },
    { organizationId: null },
  ].map(hash);
  expect(new Set(await Promise.all(hashes)).size).toBe(hashes.length);
});

test.each(Object.keys(EVENT) as (keyof AuditFacts)[])("%s is part of the hash", async (name) => {
  const value = EVENT[name];
  const other = typeof value === "number" ? value + 1 : Array.isArray(value) ? [] : `${String(value)}0`;
  const changed: AuditFacts = { ...EVENT, [name]: other };
  expect(toHex(await hashLeaf(changed))).not.toBe(toHex(await hashLeaf(EVENT)));
});

test("entries have the hashes that another program gives them", async () => {
  expect(await hashEntry(BATCH)).toBe("b7e580b9200b9e0d439330eb646dabca13d7a192c3287b47ea52958d894a72fc");
  expect(await hashEntry(RETENTION)).toBe("8e32bac16ae8d6fc58a7f84fa37acb0a22f47877d52030186ed516cc713e3224");
});

test("an entry is signed as another program signs it (RFC 8032), and checked with that key only", async () => {
  const signer = await openSigner(btoa("k".repeat(32)));
  expect(signer.publicKey).toEqual({
    id: "cd8fa86afd6bf20d",
    text: "gyClGXfYw4yopJJ8Zw31gh5El2GUXhXp77JqFQnSMOo",
  });
  const signed = await signer.sign(BATCH);
  expect(signed.signature).toBe(
    "UbRjkoE4jTYevLxta14px2RH4aDE08rzeqQN5UchV4-iSjvo4895IJY27j2x3WtadwM2R5EyaxDi91JXENb4Bw",
  );
  const other = await openSigner(btoa("o".repeat(32)));
  expect(await signatureChecker([other.publicKey, signer.publicKey])(signed)).toBe("good");
  expect(await signatureChecker([signer.publicKey])({ ...signed, entry: { ...BATCH, count: 4 } })).toBe(
    "wrong",
  );
  expect(await signatureChecker([signer.publicKey])({ ...signed, signature: "!" })).toBe("wrong");
  expect(await signatureChecker([other.publicKey])(signed)).toBe("unknown_key");
  await expect(openSigner("short")).rejects.toThrow(RangeError);
  expect(await readChainKeys("abc")).toBeNull();
});

test("a batch is due when its retention is over, or a shorter one that came later, or just before", () => {
  const shorter = (days: number, retentionDays = 7): RetentionEntry => ({
    ...RETENTION,
    retentionDays,
    writtenAt: BATCH.writtenAt + days * 86_400_000,
  });
  expect(dueDay(BATCH, [])).toBe("2026-03-06");
  expect(dueDay(BATCH, [shorter(3)])).toBe("2026-02-11");
  expect(dueDay(BATCH, [shorter(-10)])).toBe("2026-02-11");
  expect(dueDay(BATCH, [shorter(-15)])).toBe("2026-03-06");
  expect(dueDay(BATCH, [shorter(3, 365)])).toBe("2026-03-06");
});
