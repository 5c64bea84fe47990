import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { extendChains, hashBatches } from "@relaykey/core/audit-chain/append";
import { NO_HEAD } from "@relaykey/core/audit-chain/entry";
import type { ChainHead } from "@relaykey/core/audit-chain/entry";
import { openSigner } from "@relaykey/core/audit-chain/keys";
import { inclusionProof, merkleTree, splitHashes } from "@relaykey/core/audit-chain/merkle";
import { encodeProofLine } from "@relaykey/core/audit-chain/proof-file";
import type { ProofLine } from "@relaykey/core/audit-chain/proof-file";
import type { AuditEvent } from "@relaykey/core/audit-event";
import { toHex } from "@relaykey/core/bytes";
import { newId } from "@relaykey/core/ids";
import { runHere } from "./test/in-process.ts";

const ORGANIZATION = newId();
const [signer, foreign] = await Promise.all([
  openSigner(btoa("a".repeat(32))),
  openSigner(btoa("b".repeat(32))),
]);
const KEY = signer.publicKey.text;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "relaykey-verify-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function event(): AuditEvent {
  return {
    v: 1,
    requestId: newId(),
    at: Date.now(),
    organizationId: ORGANIZATION,
    integrationId: null,
    integrationSlug: "openai",
    keyId: newId(),
    holderId: null,
    method: "GET",
    path: "/v1/models",
    query: null,
    decision: "allowed",
    reason: null,
    outcome: "completed",
    status: 200,
    upstreamStatus: 200,
    ip: null,
    userAgent: "curl\u001b[31m",
    durationMs: 1,
    bytesIn: 0,
    bytesOut: 0,
    retentionDays: 30,
    droppedHeaders: [],
  };
}

/** A file as the API writes it, of a chain with batches of these sizes. */
async function proofLines(sizes: readonly number[], by = signer): Promise<string[]> {
  let head: ChainHead = NO_HEAD;
  const body: ProofLine[] = [];
  for (const size of sizes) {
    const batch = Array.from({ length: size }, event);
    const heads = new Map([[ORGANIZATION, head]]);
    const { entries, places } = await extendChains(by, heads, await hashBatches(batch), Date.now());
    for (const { signed, hash, leaves } of entries) {
      head = { sequence: signed.entry.sequence, hash };
      body.push({ type: "entry", signed });
      const tree = await merkleTree(splitHashes(leaves) ?? []);
      for (const one of batch) {
        const place = places.get(one.requestId);
        if (place?.sequence !== head.sequence) continue;
        body.push({
          type: "event",
          place,
          proof: inclusionProof(tree, place.position).map(toHex),
          event: one,
        });
      }
    }
  }
  const header: ProofLine = {
    type: "header",
    v: 1,
    organizationId: ORGANIZATION,
    exportedAt: Date.now(),
    from: null,
    to: null,
    isFiltered: false,
    keys: [by.publicKey.text],
    head: head.sequence,
  };
  const of = (type: string) => body.filter((line) => line.type === type).length;
  return [header, ...body, { type: "end", entries: of("entry"), events: of("event") } as const].map(
    encodeProofLine,
  );
}

function write(lines: readonly string[]): string {
  const file = join(folder, newId());
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

/** With no API anywhere, and a network that ends the test. */
async function verify(file: string, ...options: string[]) {
  const network = vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("the network was asked"));
  const run = await runHere(["audit", "verify", file, ...options], { HOME: folder });
  expect(network).not.toHaveBeenCalled();
  network.mockRestore();
  return run;
}

test("a file in order ends with 0 and says what it proves", async () => {
  const file = write(await proofLines([3, 2]));
  const run = await verify(file, "--key", KEY);
  expect(run).toMatchObject({ code: 0, err: "" });
  expect(run.out).toContain("In order: 5 events in 2 entries of the chain");
  expect(run.out).toContain("None is missing, from the beginning of the chain");
  const json = await verify(file, "--key", KEY, "--json");
  expect(JSON.parse(json.out)).toMatchObject({
    events: 5,
    complete: "whole",
    organization_id: ORGANIZATION,
    keys: [KEY],
  });
});

test("without a key it says whose word that is", async () => {
  const run = await verify(write(await proofLines([1], foreign)));
  expect(run.code).toBe(0);
  expect(run.err).toContain(`the file itself names (${foreign.publicKey.text})`);
});

test("what is wrong is said, and ends with 1; what is called wrongly ends with 2", async () => {
  const lines = await proofLines([3, 2]);
  const altered = await verify(
    write(lines.map((line) => line.replace("/v1/models", "/v1/files"))),
    "--key",
    KEY,
  );
  expect(altered).toMatchObject({ code: 1, out: "" });
  expect(altered.err).toMatch(
    /An event of batch 1 is not what was recorded: it was altered\. Request [0-9a-f-]{36}/,
  );
  const other = await verify(write(lines), "--key", foreign.publicKey.text);
  expect(other).toMatchObject({ code: 1 });
  expect(other.err).toContain("not among those");
  expect(await verify(join(folder, "nowhere"), "--key", KEY)).toMatchObject({ code: 1 });
  expect(await verify(write(lines), "--key", "abc")).toMatchObject({ code: 2 });
  expect(await verify(write([""]), "--key", KEY)).toMatchObject({ code: 1 });
});

test("a checkpoint that was saved holds later files to it", async () => {
  const lines = await proofLines([2, 2]);
  const checkpoint = join(folder, "checkpoint");
  expect(await verify(write(lines), "--key", KEY, "--save-checkpoint", checkpoint)).toMatchObject({
    code: 0,
  });
  expect(JSON.parse(readFileSync(checkpoint, "utf8"))).toMatchObject({ type: "entry", sequence: 2 });
  expect(await verify(write(lines), "--key", KEY, "--checkpoint", checkpoint)).toMatchObject({ code: 0 });
  const replaced = await verify(write(await proofLines([2, 2])), "--key", KEY, "--checkpoint", checkpoint);
  expect(replaced).toMatchObject({ code: 1 });
  expect(replaced.err).toContain("the chain was replaced");
  const shorter = await verify(write(await proofLines([2])), "--key", KEY, "--checkpoint", checkpoint);
  expect(shorter.err).toContain("ends before batch 2");
  // As `rk --json audit chain` prints it.
  const { type: _, ...head } = JSON.parse(readFileSync(checkpoint, "utf8")) as Record<string, unknown>;
  const printed = write([JSON.stringify({ audit_chain: { head } })]);
  expect(await verify(write(lines), "--key", KEY, "--checkpoint", printed)).toMatchObject({ code: 0 });
});
