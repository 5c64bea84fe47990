import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { readChainKeys } from "@relaykey/core/audit-chain/keys";
import type { ChainKey } from "@relaykey/core/audit-chain/keys";
import type { SignedEntry } from "@relaykey/core/audit-chain/entry";
import { decodeProofLine, encodeProofLine } from "@relaykey/core/audit-chain/proof-file";
import { ProofReader } from "@relaykey/core/audit-chain/proof-reader";
import type { ProofReport } from "@relaykey/core/audit-chain/proof-reader";
import { Failure, usage } from "../failure.ts";
import type { Printer } from "../output.ts";

export interface VerifyOptions {
  /** Public keys that are trusted. */
  readonly key?: readonly string[];
  /** A file with an entry of the same chain from earlier. */
  readonly checkpoint?: string;
  /** Where the last entry is written, to be the next checkpoint. */
  readonly saveCheckpoint?: string;
}

/**
 * Checks a proof file. Nothing is asked of anybody: what counts is the file, the keys and the checkpoint.
 *
 * @param file "-" for standard input.
 * @throws Failure with a sentence for each thing that is wrong.
 */
export async function verifyFile(printer: Printer, file: string, options: VerifyOptions): Promise<void> {
  const named = options.key ?? process.env["RELAYKEY_AUDIT_PUBLIC_KEYS"]?.split(",") ?? null;
  const trusted = named === null ? null : await readChainKeys(named.join(","));
  if (named !== null && trusted === null)
    throw usage("--key must be a public key of 43 characters (base64url).");
  const checkpoint = options.checkpoint === undefined ? null : readCheckpoint(options.checkpoint);
  const { report, keys } = await readProof(file, trusted, checkpoint);
  if (report.problems.length > 0) {
    throw new Failure(["The file does not prove what it shows.", ...report.problems].join("\n    "), 1, {
      detail: "The file does not prove what it shows.",
      problems: report.problems,
    });
  }
  if (options.saveCheckpoint !== undefined && report.head !== null) {
    writeFileSync(options.saveCheckpoint, `${encodeProofLine({ type: "entry", signed: report.head })}\n`);
  }
  if (printer.json) printer.out(JSON.stringify(reportMembers(report, keys), null, 2));
  else for (const line of sentences(report)) printer.out(line);
  if (trusted === null) {
    printer.err(
      `rk: The keys are those that the file itself names (${keys.map(({ text }) => text).join(", ")}): compare them with rk audit chain, or give them with --key.`,
    );
  }
}

async function readProof(
  file: string,
  trusted: readonly ChainKey[] | null,
  checkpoint: SignedEntry | null,
): Promise<{ report: ProofReport; keys: readonly ChainKey[] }> {
  let keys = trusted ?? [];
  let reader: ProofReader | null = null;
  const input = file === "-" ? process.stdin : createReadStream(file);
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (reader === null) {
        if (trusted === null) keys = await keysOfHeader(line);
        reader = new ProofReader(keys, checkpoint);
      }
      await reader.take(line);
    }
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
  const report = await (reader ?? new ProofReader(keys, checkpoint)).finish(Date.now());
  return { report, keys };
}

async function keysOfHeader(line: string): Promise<readonly ChainKey[]> {
  const header = decodeProofLine(line);
  return header?.type === "header" ? ((await readChainKeys(header.keys.join(","))) ?? []) : [];
}

/** An entry as `--save-checkpoint` writes it, or what `rk --json audit chain` prints. */
function readCheckpoint(file: string): SignedEntry {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
  const head = (value as { audit_chain?: { head?: unknown } } | null)?.audit_chain?.head;
  const line = decodeProofLine(
    JSON.stringify(head === undefined || head === null ? value : { type: "entry", ...head }),
  );
  if (line?.type === "entry") return line.signed;
  throw new Failure(
    `${file} is no checkpoint: write one with --save-checkpoint, or with rk --json audit chain.`,
  );
}

function sentences(report: ProofReport): string[] {
  const { events, entries, complete, expired, unproved, head } = report;
  const proved = events - unproved;
  return [
    `In order: ${count(proved, "event")} in ${count(entries, "entry", "entries")} of the chain, as they were recorded.`,
    COMPLETENESS[complete],
    ...(expired === 0 ? [] : [`${count(expired, "event")} had expired by then, and may be missing.`]),
    ...(unproved === 0
      ? []
      : [`${count(unproved, "event")} are older than the chain: nothing is proved of them.`]),
    ...(head === null
      ? []
      : [
          `The last entry is number ${String(head.entry.sequence)} of ${new Date(head.entry.writtenAt).toISOString()}, signed by the key ${head.keyId}.`,
        ]),
  ];
}

const COMPLETENESS: Record<ProofReport["complete"], string> = {
  whole: "None is missing, from the beginning of the chain to its last entry in the file.",
  range: "None is missing within the file's range of time.",
  rows: "The file was filtered: it proves the events that it has, and not that there are no others.",
};

function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

function reportMembers(report: ProofReport, keys: readonly ChainKey[]) {
  return {
    events: report.events,
    entries: report.entries,
    unproved: report.unproved,
    expired: report.expired,
    complete: report.complete,
    organization_id: report.organizationId,
    last_entry: report.head?.entry.sequence ?? null,
    keys: keys.map(({ text }) => text),
  };
}
