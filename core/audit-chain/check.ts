import { equalBytes, toHex } from "../bytes.ts";
import type { Bytes } from "../bytes.ts";
import { hashEntry } from "./entry.ts";
import type { BatchEntry, ChainHead, SignedEntry } from "./entry.ts";
import type { SignatureVerdict } from "./keys.ts";
import { hashLeaf } from "./leaf.ts";
import type { AuditFacts } from "./leaf.ts";
import { merkleRoot, splitHashes } from "./merkle.ts";
import type { ChainProblem } from "./problem.ts";

/** An event where the log has it. */
export interface PlacedEvent {
  readonly position: number;
  readonly facts: AuditFacts;
}

/** Checks that an entry was signed. */
export async function checkSignature(
  signed: SignedEntry,
  verify: (signed: SignedEntry) => Promise<SignatureVerdict>,
): Promise<ChainProblem | null> {
  const { sequence } = signed.entry;
  switch (await verify(signed)) {
    case "good":
      return null;
    case "wrong":
      return { check: "signature_wrong", sequence, requestId: null };
    case "unknown_key":
      return { check: "key_unknown", sequence, requestId: null };
  }
}

/**
 * Checks that entries follow one another, and what came before.
 *
 * @param head what the first one must follow; null: whatever it says.
 */
export async function checkLinks(
  entries: readonly SignedEntry[],
  head: ChainHead | null,
): Promise<ChainProblem[]> {
  const problems: ChainProblem[] = [];
  let before = head;
  for (const { entry } of entries) {
    const { sequence, previous } = entry;
    if (before !== null && sequence !== before.sequence + 1) {
      problems.push({ check: "batch_missing", sequence: before.sequence + 1, requestId: null });
    } else if (before !== null && previous !== before.hash) {
      problems.push({ check: "link_broken", sequence, requestId: null });
    }
    before = { sequence, hash: await hashEntry(entry) };
  }
  return problems;
}

/**
 * Checks the events of a batch against what was recorded with it.
 *
 * @param leaves kept leaf hashes; null when they went with the events.
 * @param events what the log has under the batch's number.
 * @param isDue whether the events may be gone.
 */
export async function checkBatch(
  { sequence, root, count }: BatchEntry,
  leaves: Bytes | null,
  events: readonly PlacedEvent[],
  isDue: boolean,
): Promise<ChainProblem[]> {
  const problem = (check: ChainProblem["check"], requestId: string | null = null): ChainProblem => ({
    check,
    sequence,
    requestId,
  });
  if (leaves === null && isDue && events.length === 0) return [];
  const hashes = leaves === null ? null : splitHashes(leaves);
  if (hashes?.length !== count || toHex(await merkleRoot(hashes)) !== root)
    return [problem("leaves_altered")];
  const problems: ChainProblem[] = [];
  const seen = new Set<number>();
  for (const { position, facts } of events) {
    const { requestId } = facts;
    const hash = await hashLeaf(facts);
    const expected = hashes[position];
    if (expected === undefined || seen.has(position)) problems.push(problem("event_added", requestId));
    else if (!equalBytes(expected, hash)) {
      const isElsewhere = hashes.some((other) => equalBytes(other, hash));
      problems.push(problem(isElsewhere ? "event_moved" : "event_altered", requestId));
    }
    seen.add(position);
  }
  const missing = hashes.some((_, position) => !seen.has(position));
  return missing && !isDue ? [...problems, problem("event_missing")] : problems;
}
