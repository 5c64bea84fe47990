import { decodeAuditBatch } from "@relaykey/core/audit-event";
import type { AuditEvent } from "@relaykey/core/audit-event";
import type { Database } from "@relaykey/db/client";
import type { ChainSigner } from "@relaykey/core/audit-chain/keys";
import { keepDeadLetters } from "@relaykey/db/queries/audit";
import { appendAuditEvents } from "@relaykey/db/queries/audit-append";

/** A queue message, as far as it matters here. */
export interface AuditMessage {
  readonly id: string;
  readonly body: unknown;
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds: number }): void;
}

interface DeadLetter {
  readonly origin: string;
  readonly raw: string;
  readonly error: string;
}

/** What became of a batch. */
export interface Drained {
  readonly written: number;
  readonly rejected: number;
  readonly retried: number;
  /** In the table now, new or not. */
  readonly events: readonly AuditEvent[];
}

const FIRST_RETRY_SECONDS = 5;
const LAST_RETRY_SECONDS = 300;

/**
 * Writes a batch of messages. All of it at once where possible; where the database refuses that, message by message, so
 * that one it cannot take does not hold its neighbours back. A message is acknowledged only when every event in it is
 * either in the table or kept whole as a dead letter.
 */
export async function drain(
  db: Database,
  signer: ChainSigner,
  messages: readonly AuditMessage[],
  now: number,
): Promise<Drained> {
  const read = messages.map((message) => ({ message, ...readMessage(message) }));
  const write = (some: readonly ReadMessage[]): Promise<number> => writeMessages(db, signer, some, now);
  try {
    const written = await write(read);
    for (const { message } of read) message.ack();
    return { written, rejected: count(read), retried: 0, events: read.flatMap(({ events }) => events) };
  } catch {
    let written = 0;
    let retried = 0;
    const events: AuditEvent[] = [];
    for (const one of read) {
      try {
        written += await write([one]);
        events.push(...one.events);
        one.message.ack();
      } catch {
        retried += 1;
        one.message.retry({ delaySeconds: backOff(one.message.attempts) });
      }
    }
    return { written, rejected: count(read), retried, events };
  }
}

interface ReadMessage {
  readonly events: readonly AuditEvent[];
  readonly letters: readonly DeadLetter[];
}

async function writeMessages(
  db: Database,
  signer: ChainSigner,
  read: readonly ReadMessage[],
  now: number,
): Promise<number> {
  await keepDeadLetters(
    db,
    read.flatMap((one) => one.letters),
  );
  return appendAuditEvents(
    db,
    signer,
    read.flatMap((one) => one.events),
    now,
  );
}

function readMessage(message: AuditMessage): ReadMessage {
  const raw = typeof message.body === "string" ? message.body : JSON.stringify(message.body);
  const batch = decodeAuditBatch(raw);
  if (batch === null)
    return { events: [], letters: [{ origin: message.id, raw, error: "not an audit batch" }] };
  const letters = batch.rejected.map(({ raw: part, error }, index) => ({
    origin: `${message.id}/${String(index)}`,
    raw: part,
    error,
  }));
  return { events: batch.events, letters };
}

function count(read: readonly ReadMessage[]): number {
  return read.reduce((sum, { letters }) => sum + letters.length, 0);
}

/** Doubles from 5 s up to 5 min. */
function backOff(attempts: number): number {
  return Math.min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.min(attempts - 1, 10));
}
