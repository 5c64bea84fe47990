import type { SignedEntry } from "@relaykey/core/audit-chain/entry";
import { inclusionProof, merkleTree, splitHashes } from "@relaykey/core/audit-chain/merkle";
import type { MerkleTree } from "@relaykey/core/audit-chain/merkle";
import { encodeProofLine } from "@relaykey/core/audit-chain/proof-file";
import type { ProofLine } from "@relaykey/core/audit-chain/proof-file";
import { toHex } from "@relaykey/core/bytes";
import type { AuditRow } from "@relaykey/db/queries/audit";
import {
  entryBefore,
  readEntries,
  readEntriesOf,
  readHeads,
  readRetentions,
} from "@relaykey/db/queries/audit-chain";
import type { StoredEntry } from "@relaykey/db/queries/audit-chain";
import { factsOf } from "@relaykey/db/queries/audit-chain-checks";
import { exportAuditEvents } from "./audit.ts";
import type { AuditQuery } from "./audit.ts";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** Entries per read of those that no event of the file is in. */
const ENTRIES_PAGE = { entries: 500, events: 1_000_000 } as const;

/**
 * Reads what an audit log has, with all that proves it without asking us again (`core/audit-chain/proof-file.ts`). Without a
 * filter but a range of time it has every batch that could have an event of the range, so that it proves that none is
 * missing; with another filter it proves its rows.
 *
 * @returns text, whole lines at a time.
 */
export async function exportAuditProof(
  deps: ServiceDependencies,
  caller: Caller,
  query: AuditQuery,
): Promise<Outcome<AsyncGenerator<string, void>>> {
  const allowed = authorize(caller, "audit_chain.read");
  if (!allowed.ok) return allowed;
  const { organizationId } = caller;
  // Before the events: what is chained later is not of this file.
  const head = (await readHeads(deps.db, [organizationId])).get(organizationId)?.sequence ?? 0;
  const pages = await exportAuditEvents(deps, caller, query, null);
  if (!pages.ok) return pages;
  return ok(new ProofWriter(deps, organizationId, query, head).write(pages.value));
}

class ProofWriter {
  readonly #deps: ServiceDependencies;
  readonly #organizationId: string;
  readonly #query: AuditQuery;
  readonly #head: number;
  readonly #written = new Set<number>();
  #events = 0;

  constructor(deps: ServiceDependencies, organizationId: string, query: AuditQuery, head: number) {
    this.#deps = deps;
    this.#organizationId = organizationId;
    this.#query = query;
    this.#head = head;
  }

  async *write(pages: AsyncIterable<readonly AuditRow[]>): AsyncGenerator<string, void> {
    const { from, to, ...filters } = this.#query;
    const isFiltered = Object.keys(filters).length > 0;
    yield text([
      {
        type: "header",
        v: 1,
        organizationId: this.#organizationId,
        exportedAt: this.#deps.now(),
        from: from?.getTime() ?? null,
        to: to?.getTime() ?? null,
        isFiltered,
        keys: this.#deps.chainKeys.map((key) => key.text),
        head: this.#head,
      },
    ]);
    for await (const rows of pages) yield text(await this.#page(rows));
    if (!isFiltered) yield* this.#remaining(from ?? null);
    yield text([{ type: "end", entries: this.#written.size, events: this.#events }]);
  }

  async #page(rows: readonly AuditRow[]): Promise<ProofLine[]> {
    const ours = rows.filter(({ chainSequence }) => chainSequence === null || chainSequence <= this.#head);
    const sequences = [...new Set(ours.flatMap(({ chainSequence }) => chainSequence ?? []))];
    const found = await readEntriesOf(this.#deps.db, this.#organizationId, sequences);
    const trees = new Map<number, MerkleTree>();
    for (const stored of found) {
      const tree = await treeOf(stored);
      if (tree !== null) trees.set(stored.signed.entry.sequence, tree);
    }
    this.#events += ours.length;
    return [
      ...this.#fresh(found.map(({ signed }) => signed)),
      ...ours.map((row): ProofLine => {
        const { chainSequence: sequence, chainPosition: position } = row;
        const place = sequence === null || position === null ? null : { sequence, position };
        const tree = place === null ? undefined : trees.get(place.sequence);
        const proof = tree === undefined || place === null ? [] : inclusionProof(tree, place.position);
        return { type: "event", place, proof: proof.map(toHex), event: factsOf(row) };
      }),
    ];
  }

  /** The other batches that could have an event of the range: those written since it began. */
  async *#remaining(from: Date | null): AsyncGenerator<string, void> {
    const { db } = this.#deps;
    const begin = from === null ? 1 : await entryBefore(db, this.#organizationId, from);
    const retentions = await readRetentions(db, this.#organizationId);
    const earlier = this.#fresh(retentions.filter(({ entry }) => entry.sequence < begin));
    if (earlier.length > 0) yield text(earlier);
    for (let next = begin; next <= this.#head;) {
      const found = await readEntries(db, this.#organizationId, next, ENTRIES_PAGE);
      const last = found.at(-1)?.signed.entry;
      if (last === undefined) return;
      const signed = found.map((stored) => stored.signed);
      const fresh = this.#fresh(signed.filter(({ entry }) => entry.sequence <= this.#head));
      if (fresh.length > 0) yield text(fresh);
      next = last.sequence + 1;
    }
  }

  #fresh(signed: readonly SignedEntry[]): ProofLine[] {
    const fresh = signed.filter(({ entry }) => !this.#written.has(entry.sequence));
    for (const { entry } of fresh) this.#written.add(entry.sequence);
    return fresh.map((one) => ({ type: "entry", signed: one }));
  }
}

/** null when the leaves were altered or are gone: what they would prove is wrong either way. */
async function treeOf({ leaves }: StoredEntry): Promise<MerkleTree | null> {
  const hashes = leaves === null ? null : splitHashes(leaves);
  return hashes === null || hashes.length === 0 ? null : merkleTree(hashes);
}

function text(lines: readonly ProofLine[]): string {
  return lines.map((line) => `${encodeProofLine(line)}\n`).join("");
}
