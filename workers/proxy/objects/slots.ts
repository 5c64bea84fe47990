import type { StoredSlots } from "./holder-store.ts";
import { FLIGHT_GRACE_MS } from "./lease.ts";
import type { LeaseRequest } from "./lease.ts";

/** How many requests of a key, and of all keys of its holder, may be under way at the same time; null = not limited. */
export interface ConcurrencyCaps {
  readonly key: number | null;
  readonly holder: number | null;
}

/** The slots of one lessee after its question. */
export interface SlotGrant {
  /** Requests it may have under way; null = not limited. */
  readonly slots: number | null;
  /** It wants to start one and none is free. */
  readonly isFull: boolean;
  /** What to store of it; null: it holds nothing any more. */
  readonly held: Omit<StoredSlots, "incarnation"> | null;
}

/**
 * Hands slots out. A slot counts as taken from the answer that granted it until its lessee has said that it keeps fewer, or
 * until whatever it could have started must have ended: its lease, and after it the time in which an exchange that
 * nobody could re-judge is cut. So there are never more requests under way than slots, whatever becomes of a lessee.
 *
 * A lessee says with each question how many slots it keeps, and does not use more until it has the answer. What it said
 * in an earlier question is not believed when it arrives after a later one; nor does the lessee believe such an answer.
 *
 * @param others slots of all other lessees of the holder; those that have ended are left out by the caller.
 * @param before what this lessee held.
 * @param now object clock, epoch ms.
 */
export function allotSlots(
  caps: ConcurrencyCaps,
  keyId: string,
  others: readonly StoredSlots[],
  before: StoredSlots | null,
  request: Pick<LeaseRequest, "lessee" | "flying" | "keeps" | "want" | "number">,
  leaseMs: number,
  now: number,
): SlotGrant {
  if (caps.key === null && caps.holder === null) return { slots: null, isFull: false, held: null };
  const flying = Math.max(0, request.flying);
  if (before !== null && request.number < before.number) {
    return { slots: flying, isFull: request.want > 0, held: before };
  }
  const sum = (some: readonly StoredSlots[]): number => some.reduce((total, { count }) => total + count, 0);
  const free = Math.min(
    (caps.key ?? Infinity) - sum(others.filter((slots) => slots.keyId === keyId)),
    (caps.holder ?? Infinity) - sum(others),
  );
  const kept = Math.max(flying, request.keeps);
  const spare = Math.max(0, free - kept);
  const wanted = request.want <= 0 ? 0 : Math.max(0, flying + request.want - kept);
  const count = kept + Math.min(wanted, spare);
  return {
    slots: count,
    isFull: request.want > 0 && count <= flying,
    held:
      count === 0
        ? null
        : {
            keyId,
            lessee: request.lessee,
            count,
            number: request.number,
            until: now + leaseMs + FLIGHT_GRACE_MS,
          },
  };
}
