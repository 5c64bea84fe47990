import { fromHex, toHex } from "../bytes.ts";
import { lowestIdAt } from "../ids.ts";
import { checkLinks, checkSignature } from "./check.ts";
import { BEGINNING_MS, dueDay, isRetention } from "./due.ts";
import { hashEntry, NO_HEAD } from "./entry.ts";
import type { BatchEntry, RetentionEntry, SignedEntry } from "./entry.ts";
import { signatureChecker } from "./keys.ts";
import type { ChainKey } from "./keys.ts";
import { hashLeaf } from "./leaf.ts";
import { rootOfProof } from "./merkle.ts";
import { describeProblem } from "./problem.ts";
import type { ChainCheck } from "./problem.ts";
import { decodeProofLine } from "./proof-file.ts";
import type { ProofEnd, ProofEvent, ProofHeader } from "./proof-file.ts";

/** What a file was found to prove. */
export interface ProofReport {
  /** Sentences; none: the file is in order. */
  readonly problems: readonly string[];
  readonly events: number;
  readonly entries: number;
  /** Events of the file that are older than the chain: nothing is proved of them. */
  readonly unproved: number;
  /** Events that are gone because their time was over. */
  readonly expired: number;
  /**
   * What it proves beside its rows: that the log has no others, from the beginning or within a range; or, of a filtered file,
   * nothing.
   */
  readonly complete: "whole" | "range" | "rows";
  /** The chain's last entry in the file: keep it, to hold later files against it. */
  readonly head: SignedEntry | null;
  readonly organizationId: string | null;
}

/** Problems beyond are counted only. */
const MAX_PROBLEMS = 20;
/** A request id is made within so long of its event's time. */
const ID_SLACK_MS = 60_000;

/** Reads a proof file line by line and checks it, with nothing but keys that the reader trusts. */
export class ProofReader {
  readonly #keys: readonly ChainKey[];
  readonly #checkpoint: SignedEntry | null;
  readonly #problems: string[] = [];
  #problemCount = 0;
  #lines = 0;
  #header: ProofHeader | null = null;
  #end: ProofEnd | null = null;
  readonly #entries = new Map<number, SignedEntry>();
  /** Positions that were seen, by sequence. */
  readonly #seen = new Map<number, Set<number>>();
  #events = 0;
  readonly #unplaced: ProofEvent[] = [];

  /**
   * @param keys that entries may be signed by.
   * @param checkpoint an entry of the same chain from an earlier file: the chain must still have it.
   */
  constructor(keys: readonly ChainKey[], checkpoint: SignedEntry | null) {
    this.#keys = keys;
    this.#checkpoint = checkpoint;
  }

  /** Takes the next line. */
  async take(text: string): Promise<void> {
    this.#lines += 1;
    const line = decodeProofLine(text);
    if (line === null) this.#say(`Line ${String(this.#lines)} is not of a proof file.`);
    else if ((line.type === "header") !== (this.#lines === 1) || this.#end !== null) {
      this.#say(`Line ${String(this.#lines)} stands where it does not belong.`);
    } else if (line.type === "header") this.#header = line;
    else if (line.type === "end") this.#end = line;
    else if (line.type === "entry") this.#takeEntry(line.signed);
    else await this.#takeEvent(line);
  }

  /** Says what the file proves. @param now epoch ms; a file from the future would excuse what is missing. */
  async finish(now: number): Promise<ProofReport> {
    const header = this.#header;
    if (header === null) this.#say("The file has no header: it is no proof file.");
    if (this.#end === null) this.#say("The file has no last line: it was cut off.");
    else if (this.#end.entries !== this.#entries.size || this.#end.events !== this.#events) {
      this.#say(
        `The file says that it has ${String(this.#end.events)} events and ${String(this.#end.entries)} batches; it has ${String(this.#events)} and ${String(this.#entries.size)}.`,
      );
    }
    if (header !== null && header.exportedAt > now + ID_SLACK_MS) this.#say("The file is from the future.");
    const entries = [...this.#entries.values()].sort((a, b) => a.entry.sequence - b.entry.sequence);
    await this.#checkEntries(entries, header);
    this.#checkUnplaced(entries);
    const expired = header === null ? 0 : this.#checkWhole(entries, header);
    return {
      problems: this.#allProblems(),
      events: this.#events,
      entries: entries.length,
      unproved: this.#unplaced.length,
      expired,
      complete: header === null || header.isFiltered ? "rows" : isWhole(header) ? "whole" : "range",
      head: entries.at(-1) ?? null,
      organizationId: header?.organizationId ?? null,
    };
  }

  #takeEntry(signed: SignedEntry): void {
    const { sequence, organizationId } = signed.entry;
    if (this.#entries.has(sequence)) this.#say(`Batch ${String(sequence)} is in the file twice.`);
    if (organizationId !== this.#header?.organizationId) {
      this.#say(`Batch ${String(sequence)} is of another organization.`);
    }
    this.#entries.set(sequence, signed);
  }

  async #takeEvent(line: ProofEvent): Promise<void> {
    this.#events += 1;
    const { place, event } = line;
    if (place === null) {
      this.#unplaced.push(line);
      return;
    }
    const { sequence, position } = place;
    const entry = this.#entries.get(sequence)?.entry;
    if (entry?.kind !== "batch") {
      this.#say(
        `Request ${event.requestId} is said to be of batch ${String(sequence)}, which the file does not have.`,
      );
      return;
    }
    const seen = this.#seen.get(sequence) ?? new Set();
    this.#seen.set(sequence, seen);
    const leaf = await hashLeaf({ ...event, organizationId: this.#header?.organizationId ?? null });
    const proof = line.proof.map((hash) => fromHex(hash) ?? new Uint8Array());
    const root = await rootOfProof(leaf, { position, count: entry.count }, proof);
    if (seen.has(position)) this.#find("event_added", sequence, event.requestId);
    else if (root === null || toHex(root) !== entry.root)
      this.#find("event_altered", sequence, event.requestId);
    seen.add(position);
  }

  async #checkEntries(entries: readonly SignedEntry[], header: ProofHeader | null): Promise<void> {
    const verify = signatureChecker(this.#keys);
    for (const signed of entries) {
      const problem = await checkSignature(signed, verify);
      if (problem !== null) this.#say(describeProblem(problem));
    }
    if (header !== null && !header.isFiltered) await this.#checkRun(entries, header);
    await this.#checkCheckpoint(entries);
  }

  /** That no batch which could have an event of the file's range is left out: not before, not between, not after. */
  async #checkRun(entries: readonly SignedEntry[], { from, head }: ProofHeader): Promise<void> {
    const run = from === null ? entries : withoutEarlierRetentions(entries);
    for (const problem of await checkLinks(run, from === null ? NO_HEAD : null)) {
      this.#say(describeProblem(problem));
    }
    const [first] = run;
    // What was written before the range began has no event of it.
    if (from !== null && first !== undefined && first.entry.sequence > 1 && first.entry.writtenAt >= from) {
      this.#say(
        `The file begins with batch ${String(first.entry.sequence)}: earlier ones may have events of its range.`,
      );
    }
    if ((run.at(-1)?.entry.sequence ?? 0) !== head) this.#find("chain_shortened", head);
  }

  async #checkCheckpoint(entries: readonly SignedEntry[]): Promise<void> {
    if (this.#checkpoint === null) return;
    const { entry } = this.#checkpoint;
    if ((await checkSignature(this.#checkpoint, signatureChecker(this.#keys))) !== null) {
      this.#say("The checkpoint is not signed by a key that is trusted: nothing can be held against it.");
      return;
    }
    if (entry.organizationId !== this.#header?.organizationId) {
      this.#say("The checkpoint is of another organization.");
      return;
    }
    const same = this.#entries.get(entry.sequence);
    const last = entries.at(-1)?.entry.sequence ?? 0;
    if (last < entry.sequence) this.#find("chain_shortened", entry.sequence);
    else if (same === undefined) {
      this.#say(
        `The file does not have batch ${String(entry.sequence)}, which the checkpoint is: export the whole log.`,
      );
    } else if ((await hashEntry(same.entry)) !== (await hashEntry(entry))) {
      this.#say(
        `Batch ${String(entry.sequence)} is not what it was at the checkpoint: the chain was replaced.`,
      );
    }
  }

  /** An event in no batch is older than the chain, or was added by somebody else. */
  #checkUnplaced(entries: readonly SignedEntry[]): void {
    const began = Math.min(...entries.map(({ entry }) => entry.writtenAt)) + BEGINNING_MS;
    for (const { event } of this.#unplaced) {
      if (event.at >= began)
        this.#say(`Request ${event.requestId} is in no batch: it was added by other means than RelayKey.`);
    }
  }

  /** @returns how many events have expired. */
  #checkWhole(entries: readonly SignedEntry[], header: ProofHeader): number {
    if (header.isFiltered) return 0;
    const retentions = entries.map(({ entry }) => entry).filter(isRetention);
    const day = new Date(header.exportedAt).toISOString().slice(0, 10);
    let expired = 0;
    for (const { entry } of entries) {
      if (entry.kind !== "batch") continue;
      const missing = entry.count - (this.#seen.get(entry.sequence)?.size ?? 0);
      if (missing === 0) continue;
      if (isDue(entry, retentions, day)) expired += missing;
      else if (isWithin(entry, header)) this.#find("event_missing", entry.sequence);
    }
    return expired;
  }

  #find(check: ChainCheck, sequence: number, requestId: string | null = null): void {
    this.#say(describeProblem({ check, sequence, requestId }));
  }

  #say(sentence: string): void {
    this.#problemCount += 1;
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(sentence);
  }

  #allProblems(): string[] {
    const more = this.#problemCount - this.#problems.length;
    return more === 0 ? this.#problems : [...this.#problems, `And ${String(more)} more.`];
  }
}

function isWhole({ from, to }: ProofHeader): boolean {
  return from === null && to === null;
}

/** Earlier changes of retention stand alone, before the batches of a range. */
function withoutEarlierRetentions(entries: readonly SignedEntry[]): readonly SignedEntry[] {
  const begin = entries.findIndex(
    ({ entry }, index) => !isRetention(entry) || entries[index + 1]?.entry.sequence === entry.sequence + 1,
  );
  return entries.slice(Math.max(0, begin));
}

function isDue(entry: BatchEntry, retentions: readonly RetentionEntry[], day: string): boolean {
  return dueDay(entry, retentions) <= day;
}

/** Whether all of a batch's events are within the range of a file; at its edges it has some of a batch. */
function isWithin({ first, last }: BatchEntry, { from, to }: ProofHeader): boolean {
  return (
    (from === null || first >= lowestIdAt(from + ID_SLACK_MS)) &&
    (to === null || last < lowestIdAt(Math.max(0, to - ID_SLACK_MS)))
  );
}
