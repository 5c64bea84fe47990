import type { BlockReason } from "@relaykey/core/block-reasons";
import type { Aim, PolicyKind } from "./policies.ts";

/** A version of the policy on its way to being enforced. Instants are `VirtualTime.instant`s. */
export interface ChangeRecord {
  readonly version: number;
  readonly kind: PolicyKind;
  /** When it was first sent to the object. */
  readonly invoked: number;
  /** When a receipt first came back. */
  returned: number | null;
  returnedMs: number | null;
  /** The version that the receipt says holds. */
  receipt: number | null;
}

/** A request that was sent to the vendor. */
export interface StartRecord {
  readonly began: number;
  readonly at: number;
  readonly ms: number;
  readonly isolate: number;
  readonly aim: Aim;
  readonly network: string;
  /** The version it was judged on. */
  readonly version: number;
  readonly leaseVersion: number | null;
  readonly windowStart: number | null;
  /** When its exchange was over; null: not before the end of the world. */
  over: number | null;
}

export interface RefusalRecord {
  readonly began: number;
  readonly at: number;
  readonly ms: number;
  readonly isolate: number;
  readonly aim: Aim;
  readonly network: string;
  readonly reason: BlockReason;
}

/** A response that was open for a while after its request had started. */
export interface StreamRecord {
  readonly aim: Aim;
  readonly network: string;
  readonly openedMs: number;
  readonly closedMs: number;
  readonly closed: number;
  /** null: it ended by itself. */
  readonly cut: BlockReason | null;
}

/** An answer of the object that reached an isolate: a read of the policy. 0 stands for "no such key". */
export interface AnswerRecord {
  readonly invoked: number;
  readonly returned: number;
  readonly version: number;
}

/** What was seen of one schedule from outside. */
export class History {
  readonly changes: ChangeRecord[] = [];
  readonly starts: StartRecord[] = [];
  readonly refusals: RefusalRecord[] = [];
  readonly streams: StreamRecord[] = [];
  readonly answers: AnswerRecord[] = [];
  restarts = 0;

  /** The story in the order it happened, for people. */
  tell(): string {
    const lines: { at: number; text: string }[] = [];
    for (const { version, kind, invoked, returned, returnedMs, receipt } of this.changes) {
      lines.push({ at: invoked, text: `v${String(version)} (${kind}) is sent to the object` });
      if (returned !== null) {
        const time = String(returnedMs);
        lines.push({
          at: returned,
          text: `${time} ms: v${String(version)} RETURNED: v${String(receipt)} holds`,
        });
      }
    }
    for (const { at, ms, isolate, aim, version, leaseVersion } of this.starts) {
      const lease = leaseVersion === null ? "no lease" : `a lease on v${String(leaseVersion)}`;
      const who = `${String(ms)} ms: isolate ${String(isolate)}`;
      lines.push({ at, text: `${who} STARTS ${aim}, judged on v${String(version)}, with ${lease}` });
    }
    for (const { at, ms, isolate, aim, reason, began } of this.refusals) {
      const who = `${String(ms)} ms: isolate ${String(isolate)}`;
      lines.push({ at, text: `${who} refuses ${aim}: ${reason} (it began at #${String(began)})` });
    }
    for (const { aim, openedMs, closedMs, closed, cut } of this.streams) {
      const how = cut === null ? "ends" : `is cut (${cut})`;
      lines.push({
        at: closed,
        text: `${String(closedMs)} ms: ${aim} open since ${String(openedMs)} ms ${how}`,
      });
    }
    lines.sort((a, b) => a.at - b.at);
    return lines.map(({ at, text }) => `  #${String(at)} ${text}`).join("\n");
  }
}
