import { decodeNotice } from "@relaykey/core/notice";
import { decodeReviewRequest } from "@relaykey/core/review-request";
import { keepDeadLetters } from "@relaykey/db/queries/audit";
import { isForeignKeyViolation } from "@relaykey/db/queries/conflicts";
import { recordNotice } from "@relaykey/db/queries/notices";
import type { ServiceDependencies } from "../dependencies.ts";
import { passOnReviewRequest } from "../review-requests.ts";
import { alertThrottle } from "./alert-rules.ts";
import { takeEffect } from "./effects.ts";

/** A queue message, as far as it matters here. */
export interface NoticeMessage {
  readonly id: string;
  readonly body: unknown;
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds: number }): void;
}

/** What became of a batch. */
export interface Consumed {
  readonly written: number;
  readonly repeated: number;
  readonly rejected: number;
  /** What people asked for, which is no notice. */
  readonly passedOn: number;
  readonly retried: number;
}

const FIRST_RETRY_SECONDS = 2;
const LAST_RETRY_SECONDS = 300;

/**
 * Writes what the other planes report. Each message is dealt with alone, so that one that the database refuses holds nobody
 * back. It is acknowledged when its effect and its notice are in the database: both tell a repetition, so that messages may
 * come again, late, and in any order.
 */
export async function consumeNotices(
  deps: ServiceDependencies,
  messages: readonly NoticeMessage[],
): Promise<Consumed> {
  const counts = { written: 0, repeated: 0, rejected: 0, passedOn: 0, retried: 0 };
  for (const message of messages) {
    try {
      counts[await consume(deps, message)] += 1;
      message.ack();
    } catch (error) {
      counts.retried += 1;
      deps.log("warn", "notice_retried", {
        attempts: message.attempts,
        error: error instanceof Error ? error.name : typeof error,
      });
      message.retry({ delaySeconds: backOff(message.attempts) });
    }
  }
  return counts;
}

async function consume(
  deps: ServiceDependencies,
  message: NoticeMessage,
): Promise<"written" | "repeated" | "rejected" | "passedOn"> {
  const raw = typeof message.body === "string" ? message.body : JSON.stringify(message.body);
  const request = decodeReviewRequest(raw);
  if (request !== null) {
    await passOnReviewRequest(deps, request);
    return "passedOn";
  }
  const notice = decodeNotice(raw);
  if (notice === null) return reject(deps, message, raw, "not a notice");
  try {
    await takeEffect(deps, notice);
    const id = await recordNotice(deps.db, notice, alertThrottle(notice), new Date(deps.now()));
    return id === null ? "repeated" : "written";
  } catch (error) {
    // Of an organization that is gone: no retry brings it back.
    if (isForeignKeyViolation(error, "notices_organization_id_organizations_id_fk"))
      return reject(deps, message, raw, "no such organization");
    throw error;
  }
}

async function reject(
  deps: ServiceDependencies,
  { id }: NoticeMessage,
  raw: string,
  error: string,
): Promise<"rejected"> {
  await keepDeadLetters(deps.db, [{ origin: `notices/${id}`, raw, error }]);
  return "rejected";
}

/** Doubles from 2 s up to 5 min. */
function backOff(attempts: number): number {
  return Math.min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.min(attempts - 1, 10));
}
