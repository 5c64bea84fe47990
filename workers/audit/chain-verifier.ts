import { checkBatch, checkLinks, checkSignature } from "@relaykey/core/audit-chain/check";
import { BEGINNING_MS, dueDay, isRetention } from "@relaykey/core/audit-chain/due";
import { hashEntry, NO_HEAD } from "@relaykey/core/audit-chain/entry";
import type { ChainEntry, ChainHead, RetentionEntry } from "@relaykey/core/audit-chain/entry";
import { signatureChecker } from "@relaykey/core/audit-chain/keys";
import type { ChainKey } from "@relaykey/core/audit-chain/keys";
import type { ChainProblem } from "@relaykey/core/audit-chain/problem";
import type { Database } from "@relaykey/db/client";
import { readEntries, readHeads, readRetentions } from "@relaykey/db/queries/audit-chain";
import type { StoredEntry } from "@relaykey/db/queries/audit-chain";
import { readSpan } from "@relaykey/db/queries/audit-chain-checks";

/** How much of a chain is read at a time. */
const STRIDE = { entries: 100, events: 2_000 } as const;

/** One look at a part of a chain. */
export interface Stride {
  /** The last entry that was read; null: there was none to read. */
  readonly reached: ChainHead | null;
  /** Whether the chain ended there. */
  readonly isEnd: boolean;
  /** Of the batches that were read, without the one that was known. */
  readonly events: number;
  readonly problems: readonly ChainProblem[];
  /** Whether what was known is not what it was: nothing that follows can be trusted. */
  readonly isUprooted: boolean;
}

/** Checks an organization's chain against its log. */
export class ChainVerifier {
  readonly #db: Database;
  readonly #organizationId: string;
  readonly #checker: ReturnType<typeof signatureChecker>;
  readonly #today: string;
  #basis: Promise<{ retentions: RetentionEntry[]; began: number }> | null = null;

  /** @param today YYYY-MM-DD (UTC). */
  constructor(db: Database, organizationId: string, keys: readonly ChainKey[], today: string) {
    this.#db = db;
    this.#organizationId = organizationId;
    this.#checker = signatureChecker(keys);
    this.#today = today;
  }

  /**
   * Checks the entries that follow one that was checked before, and their events; and that this one is as it was. It is
   * read again, so that what was put between its events and the next ones is seen too.
   *
   * @param known null: from the beginning.
   */
  async after(known: ChainHead | null): Promise<Stride> {
    const found = await readEntries(this.#db, this.#organizationId, known?.sequence ?? 1, STRIDE);
    if (known === null) return this.#check(found, NO_HEAD);
    const entry = found[0]?.signed.entry;
    const { sequence } = known;
    if (entry === undefined) return uprooted("chain_shortened", sequence);
    if (entry.sequence !== sequence) return uprooted("batch_missing", sequence);
    if ((await hashEntry(entry)) !== known.hash) return uprooted("link_broken", sequence);
    const stride = await this.#check(found, null);
    return { ...stride, events: stride.events - countOf(entry) };
  }

  /** Checks entries from a sequence on, whatever stands before them. Nothing stands before the first. */
  async from(sequence: number): Promise<Stride> {
    const found = await readEntries(this.#db, this.#organizationId, sequence, STRIDE);
    return this.#check(found, sequence <= 1 ? NO_HEAD : null);
  }

  async #check(found: readonly StoredEntry[], head: ChainHead | null): Promise<Stride> {
    const last = found.at(-1)?.signed.entry;
    if (last === undefined) {
      return { reached: null, isEnd: true, events: 0, problems: [], isUprooted: false };
    }
    const entries = found.map(({ signed }) => signed);
    const problems = await checkLinks(entries, head);
    for (const signed of entries) {
      const problem = await checkSignature(signed, this.#checker);
      if (problem !== null) problems.push(problem);
    }
    const heads = await readHeads(this.#db, [this.#organizationId]);
    const isEnd = heads.get(this.#organizationId)?.sequence === last.sequence;
    problems.push(...(await this.#checkEvents(found, isEnd)));
    return {
      reached: { sequence: last.sequence, hash: await hashEntry(last) },
      isEnd,
      events: entries.reduce((sum, { entry }) => sum + countOf(entry), 0),
      problems,
      isUprooted: false,
    };
  }

  async #checkEvents(found: readonly StoredEntry[], isEnd: boolean): Promise<ChainProblem[]> {
    const batches = found.flatMap(({ signed: { entry }, leaves }) =>
      entry.kind === "batch" ? [{ entry, leaves }] : [],
    );
    const [first] = found;
    if (first === undefined || batches.length === 0) return [];
    const ids = batches.flatMap(({ entry }) => [entry.first, entry.last]).sort();
    const { retentions, began } = await this.#readBasis();
    const from = first.signed.entry.sequence;
    const to = found.at(-1)?.signed.entry.sequence ?? from;
    const { placed, stray } = await readSpan(this.#db, this.#organizationId, {
      from,
      to,
      first: ids[0] ?? "",
      // What stands after the last event of a chain is in no later batch's span either.
      last: isEnd ? null : (ids.at(-1) ?? ""),
    });
    const problems: ChainProblem[] = [];
    for (const { entry, leaves } of batches) {
      const isDue = dueDay(entry, retentions) <= this.#today;
      problems.push(...(await checkBatch(entry, leaves, placed.get(entry.sequence) ?? [], isDue)));
    }
    for (const { requestId, at, sequence } of stray) {
      if (sequence !== null) problems.push({ check: "event_added", sequence, requestId });
      else if (at >= began + BEGINNING_MS) {
        const before = batches.findLast(({ entry }) => entry.first <= requestId);
        const number = before?.entry.sequence ?? from;
        problems.push({ check: "event_unchained", sequence: number, requestId });
      }
    }
    return problems;
  }

  /** Retentions count as far as they are signed: an unsigned one would excuse anything. */
  #readBasis(): Promise<{ retentions: RetentionEntry[]; began: number }> {
    return (this.#basis ??= (async () => {
      const [beginning] = await readEntries(this.#db, this.#organizationId, 1, { entries: 1, events: 1 });
      const retentions: RetentionEntry[] = [];
      for (const signed of await readRetentions(this.#db, this.#organizationId)) {
        if (isRetention(signed.entry) && (await this.#checker(signed)) === "good")
          retentions.push(signed.entry);
      }
      return { retentions, began: beginning?.signed.entry.writtenAt ?? 0 };
    })());
  }
}

function countOf(entry: ChainEntry): number {
  return entry.kind === "batch" ? entry.count : 0;
}

function uprooted(check: ChainProblem["check"], sequence: number): Stride {
  const problems = [{ check, sequence, requestId: null }];
  return { reached: null, isEnd: false, events: 0, problems, isUprooted: true };
}
