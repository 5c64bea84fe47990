/**
 * What scrubbing costs: `push()` over realistic response bodies, against a plain copy of the same chunks in the same
 * run. `node bench/scrub.ts [--json] [--megabytes=N]`
 */
import { randomBytes } from "node:crypto";
import { SecretMatcher } from "@relaykey/core/scrub/matcher";
import { createScrubber } from "@relaykey/core/scrub/scrubber";

// eslint-disable-next-line no-secrets/no-secrets -- of the form of one, and of no vendor
const SECRET = "sk-proj-T3BlbkFJx0aZ9_qWmV7-kLr2YcN5uHdE8sGfPiBjQo41";
const PARTS = [SECRET, `user:${SECRET}`];
const ROUNDS = 7;
const json = process.argv.includes("--json");
const megabytes = Number(
  process.argv.find((arg) => arg.startsWith("--megabytes="))?.slice("--megabytes=".length) ?? 64,
);

const item = (index: number): unknown => ({
  id: `cus_${randomBytes(7).toString("hex")}`,
  object: "customer",
  created: 1_700_000_000 + index,
  email: `person.${index.toString()}@example.com`,
  description: "Subscribed after the trial; asked for invoices in German, please.",
  metadata: { plan: "pro", url: `https://example.com/a/${index.toString()}?x=1&y=%20z`, note: 'said "yes"' },
  balance: index * 17,
});
const JSON_BODY = JSON.stringify(Array.from({ length: 4_000 }, (_, index) => item(index)));
const WORDS =
  "the model answers one token at a time so each event holds a word or two of sketchy skills".split(" ");
const event = (index: number): string =>
  `data: ${JSON.stringify({
    id: "chatcmpl-9fQ2",
    object: "chat.completion.chunk",
    created: 1_736_812_345,
    model: "gpt-4o-2024-08-06",
    choices: [{ index: 0, delta: { content: ` ${WORDS[index % WORDS.length] ?? ""}` }, finish_reason: null }],
  })}\n\n`;
const EVENTS = Array.from({ length: 8_000 }, (_, index) => Buffer.from(event(index)));

interface Load {
  readonly name: string;
  readonly chunks: readonly Uint8Array[];
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size),
  );
}

const repeated = (text: string): Uint8Array => Buffer.from(text.repeat(Math.ceil(2_000_000 / text.length)));
const BINARY = randomBytes(4_000_000);

const LOADS: readonly Load[] = [
  { name: "JSON, 64 KiB chunks", chunks: cut(Buffer.from(JSON_BODY), 65_536) },
  { name: "JSON, 4 KiB chunks", chunks: cut(Buffer.from(JSON_BODY), 4_096) },
  { name: "JSON in JSON, 64 KiB chunks", chunks: cut(Buffer.from(JSON.stringify(JSON_BODY)), 65_536) },
  { name: "SSE, an event per chunk", chunks: EVENTS },
  { name: "random binary, 64 KiB chunks", chunks: cut(BINARY, 65_536) },
  { name: "base64, 64 KiB chunks", chunks: cut(Buffer.from(BINARY.toString("base64")), 65_536) },
  // From here on: what no vendor sends unless it wants to be slow.
  { name: "worst: JSON, byte by byte", chunks: cut(Buffer.from(JSON_BODY.slice(0, 200_000)), 1) },
  { name: "worst: backslashes only", chunks: cut(repeated("\\"), 65_536) },
  { name: "worst: the key but its last byte", chunks: cut(repeated(SECRET.slice(0, -1)), 65_536) },
  { name: "worst: the key back to back", chunks: cut(repeated(SECRET), 65_536) },
  { name: "worst: random mixed spellings", chunks: cut(Buffer.from(mixed()), 65_536) },
];

/** Half-spelled keys in ever new mixtures: the automaton meets states that it has not seen. */
function mixed(): string {
  let text = "";
  while (text.length < 500_000) {
    for (const char of SECRET.slice(0, -1)) {
      const hex = char.charCodeAt(0).toString(16);
      const spellings = [char, `%${hex}`, `\\u00${hex}`, `&#x${hex};`, `%25${hex}`, `\\\\x${hex}`];
      text += spellings[Math.floor(Math.random() * spellings.length)] ?? char;
    }
  }
  return text;
}

/** Runs over the chunks again and again until enough bytes went through; nanoseconds per byte, the median of rounds. */
function measure(chunks: readonly Uint8Array[], turn: (chunk: Uint8Array) => number, budget: number): number {
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  const repeats = Math.max(1, Math.ceil(budget / size));
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    let sum = 0;
    const began = performance.now();
    for (let repeat = 0; repeat < repeats; repeat += 1) for (const chunk of chunks) sum += turn(chunk);
    if (sum < 0) throw new Error("Keeps the loop from being optimized away.");
    return ((performance.now() - began) * 1e6) / (repeats * size);
  });
  // The first round warms up.
  const sorted = rounds.slice(1).sort((left, right) => left - right);
  return sorted[ROUNDS >> 1] ?? NaN;
}

interface Row {
  readonly name: string;
  readonly scrubMBps: number;
  readonly copyMBps: number;
  /** How many times as long as the copy the scrubbing takes. */
  readonly ratio: number;
  readonly microsecondsPerChunk: number;
}

const target = new Uint8Array(65_536);

function copyOut(chunk: Uint8Array): number {
  target.set(chunk);
  return chunk.length;
}

function compare({ name, chunks }: Load): Row {
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  const budget = (name.startsWith("worst") ? megabytes / 16 : megabytes) * 1e6;
  const scrubber = createScrubber(new SecretMatcher(PARTS));
  const scrub = measure(chunks, (chunk) => scrubber.push(chunk).length, budget / ROUNDS);
  const copy = measure(chunks, copyOut, budget / ROUNDS);
  return {
    name,
    scrubMBps: 1e3 / scrub,
    copyMBps: 1e3 / copy,
    ratio: scrub / copy,
    microsecondsPerChunk: (scrub * size) / chunks.length / 1e3,
  };
}

/** Microseconds to make a matcher: the first in a process makes the spellings of each character, too. */
function compile(): { firstMicroseconds: number; microseconds: number } {
  const time = (times: number): number => {
    const began = performance.now();
    for (let turn = 0; turn < times; turn += 1) new SecretMatcher(PARTS);
    return ((performance.now() - began) * 1e3) / times;
  };
  const firstMicroseconds = time(1);
  time(300);
  return { firstMicroseconds, microseconds: time(1_000) };
}

const matcher = compile();
const rows = LOADS.map(compare);
if (json) {
  console.log(JSON.stringify({ bench: "scrub", node: process.version, matcher, rows }));
} else {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(34) : cell.padStart(12))).join("");
  console.log(line(["", "scrub MB/s", "copy MB/s", "ratio", "µs/chunk"]));
  for (const { name, scrubMBps, copyMBps, ratio, microsecondsPerChunk } of rows) {
    console.log(
      line([
        name,
        scrubMBps.toFixed(0),
        copyMBps.toFixed(0),
        `${ratio.toFixed(2)}x`,
        microsecondsPerChunk.toFixed(2),
      ]),
    );
  }
  console.log(
    `\nmaking a matcher: ${matcher.microseconds.toFixed(0)} µs, the process's first ${matcher.firstMicroseconds.toFixed(0)} µs`,
  );
}
