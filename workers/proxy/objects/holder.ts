import type { EnforcementReceipt, KeyInspection, KeyRef } from "@relaykey/core/rpc";
import { decodeSnapshot, encodeSnapshot } from "@relaykey/core/snapshot";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { allot } from "./allowance.ts";
import type { HolderStore, StoredKey, StoredSlots } from "./holder-store.ts";
import { FLIGHT_GRACE_MS, LEASE_MS } from "./lease.ts";
import type { LeaseAnswer, LeaseRequest } from "./lease.ts";
import { Networks } from "./networks.ts";
import type { RandomBytes } from "./pending.ts";
import { allotSlots } from "./slots.ts";
import type { SlotGrant } from "./slots.ts";

/** Name of the counters that all keys of the holder share; no key id looks like it. */
const HOLDER_BUDGET = "holder";

/** What a holder needs from its surroundings; a simulation brings its own. */
export interface HolderWorld {
  /** Epoch ms of this object's host. Compared only with itself. */
  now(): number;
  wait(ms: number): Promise<void>;
  /** Differs for every incarnation of the object. */
  readonly incarnation: string;
  readonly random: RandomBytes;
}

/**
 * The enforcement authority for one key holder: it says what a key may do *now*, for how long that may be relied on,
 * and reports a change as enforced only when nobody can rely on the older answer any more.
 *
 * It decides from its store, never from memory, and writes each lease before it answers: an instance that was
 * superseded cannot commit that write, so its answer never leaves the output gate.
 */
export class Holder {
  readonly #store: HolderStore;
  readonly #world: HolderWorld;
  readonly #startedAt: number;
  /** Questions by token hash, for whoever wants to know what a key costs. */
  readonly #asked = new Map<string, number>();
  /** From where the keys may be used. */
  readonly networks: Networks;

  constructor(store: HolderStore, world: HolderWorld) {
    this.#store = store;
    this.#world = world;
    this.#startedAt = world.now();
    this.networks = new Networks(
      store,
      { now: () => world.now(), random: world.random },
      {
        snapshotOf: (keyId) => {
          const key = store.keyById(keyId);
          return key === null ? null : readSnapshot(key);
        },
        snapshots: () => store.keys().flatMap((key) => readSnapshot(key) ?? []),
        freeze: (keyId) => this.#freeze(keyId),
        enforce: (keyId) => this.#enforce(keyId),
        waitOut: () => this.#waitOut(this.#lastDeadline()),
      },
    );
  }

  /**
   * Answers one isolate. Every answer, also "unknown" and "blocked", is a lease: it may be relied on for `leaseMs`
   * counted from before the question was sent, and a later change waits it out.
   */
  lease(request: LeaseRequest): LeaseAnswer {
    const now = this.#world.now();
    const key = this.#store.keyByHash(request.tokenHash);
    const snapshot = key === null ? null : readSnapshot(key);
    if (key !== null) this.#asked.set(request.tokenHash, (this.#asked.get(request.tokenHash) ?? 0) + 1);
    if (key === null || snapshot === null) {
      this.#grant(request.tokenHash, now, LEASE_MS);
      return { kind: "unknown", leaseMs: LEASE_MS };
    }
    const { blocked, confirmation } = this.networks.gate(snapshot, request, now);
    // A request that is refused for its address must not use anything up.
    const want = blocked ? 0 : request.want;
    const slots = this.#allotSlots(snapshot, { ...request, want }, now);
    const room = slots.slots === null ? want : Math.max(0, slots.slots - request.flying);
    const budgets = [
      { id: key.keyId, limits: snapshot.limits },
      { id: HOLDER_BUDGET, limits: snapshot.holder.limits },
    ].map(({ id, limits }) => ({ id, limits, stored: this.#store.use(id) }));
    const allowance = allot(
      budgets,
      { want: Math.min(want, room), ahead: request.ahead, unused: request.unused },
      now,
    );
    for (const [index, { id }] of budgets.entries()) {
      const use = allowance.uses[index] ?? null;
      if (use !== null) this.#store.putUse(id, use);
    }
    this.#grant(request.tokenHash, now, allowance.leaseMs);
    return {
      kind: "known",
      leaseMs: allowance.leaseMs,
      version: key.edition,
      snapshot: request.haveVersion === key.edition ? null : key.snapshot,
      allowance: allowance.count,
      windows: allowance.windows,
      slots: slots.slots,
      block: blocked ? "ip_unconfirmed" : (allowance.block ?? (slots.isFull ? "concurrency_limited" : null)),
      confirmation,
      retryAfterMs: allowance.retryAfterMs,
      quota: allowance.quota,
    };
  }

  /** Gives the lessee its slots, and stores what it holds now. */
  #allotSlots(snapshot: PolicySnapshot, request: LeaseRequest, now: number): SlotGrant {
    const caps = { key: snapshot.limits.concurrency, holder: snapshot.holder.limits.concurrency };
    const { keyId } = snapshot;
    if (caps.key === null && caps.holder === null) return { slots: null, isFull: false, held: null };
    const held: StoredSlots[] = [];
    for (const stored of this.#store.slots()) {
      const slots = this.#onThisClock(stored, FLIGHT_GRACE_MS);
      if (now < slots.until) held.push(slots);
      else this.#store.removeSlots(slots.keyId, slots.lessee);
    }
    const isOwn = (slots: StoredSlots): boolean => slots.keyId === keyId && slots.lessee === request.lessee;
    const grant = allotSlots(
      caps,
      keyId,
      held.filter((slots) => !isOwn(slots)),
      held.find(isOwn) ?? null,
      request,
      LEASE_MS,
      now,
    );
    if (grant.held === null) this.#store.removeSlots(keyId, request.lessee);
    else this.#store.putSlots({ ...grant.held, incarnation: this.#world.incarnation });
    return grant;
  }

  /**
   * What a former incarnation granted was measured on a clock that this one cannot compare with, but it was granted before
   * this one started: it ends at the latest one lease, and the grace that goes with it, after that.
   */
  #onThisClock<T extends { readonly until: number; readonly incarnation: string }>(
    granted: T,
    graceMs: number,
  ): T {
    if (granted.incarnation === this.#world.incarnation) return granted;
    return { ...granted, until: this.#startedAt + LEASE_MS + graceMs };
  }

  /**
   * Stores a policy snapshot and waits until no lease on an older version is out. An older version than the stored one
   * changes nothing: the receipt names the version that holds.
   *
   * @throws TypeError when the snapshot cannot be read; nothing was stored then.
   */
  async apply(text: string): Promise<EnforcementReceipt> {
    const decoded = decodeSnapshot(text);
    if (!decoded.ok) throw new TypeError(`The policy snapshot cannot be read: ${decoded.error}`);
    const { keyId, tokenHash, version } = decoded.snapshot;
    const stored = this.#store.keyById(keyId);
    if (stored === null || stored.version < version) {
      const edition = nextEdition(stored, version);
      const freezes = stored?.freezes ?? 0;
      const snapshot = encodeSnapshot(asIsolatesSee(decoded.snapshot, edition, freezes));
      this.#store.putKey({ keyId, tokenHash, version, edition, snapshot, enforcedAt: null, freezes });
    }
    return this.#enforce(keyId);
  }

  /**
   * Marks a key revoked under the given version, also one this object has never seen, and waits like `apply`.
   * A revocation is terminal: no later snapshot in another state than revoked is built by the control plane.
   */
  async revoke(ref: KeyRef, version: number): Promise<EnforcementReceipt> {
    const stored = this.#store.keyById(ref.keyId);
    if (stored === null || stored.version < version) {
      const snapshot = stored === null ? null : readSnapshot(stored);
      const edition = nextEdition(stored, version);
      this.#store.putKey({
        keyId: ref.keyId,
        tokenHash: ref.tokenHash,
        version,
        edition,
        snapshot:
          snapshot === null ? null : encodeSnapshot({ ...snapshot, version: edition, state: "revoked" }),
        enforcedAt: null,
        freezes: stored?.freezes ?? 0,
      });
    }
    return this.#enforce(ref.keyId);
  }

  /** The stored snapshot of a key, encoded; null when the object has none. */
  snapshot(keyId: string): string | null {
    return this.#store.keyById(keyId)?.snapshot ?? null;
  }

  inspect(ref: KeyRef): KeyInspection | null {
    const key = this.#store.keyById(ref.keyId);
    if (key === null) return null;
    return {
      keyId: key.keyId,
      version: key.version,
      state: readSnapshot(key)?.state ?? "revoked",
      leasedUntil: this.#deadline(key.tokenHash) ?? 0,
      leasesAsked: this.#asked.get(key.tokenHash) ?? 0,
      usesTaken: this.#store.use(key.keyId)?.taken ?? 0,
      holderFreezes: key.freezes,
    };
  }

  async #enforce(keyId: string): Promise<EnforcementReceipt> {
    const key = this.#store.keyById(keyId);
    if (key === null) throw new Error("The key vanished while it was being enforced.");
    const began = this.#world.now();
    if (key.enforcedAt !== null) {
      return { keyId, version: key.version, enforcedAt: key.enforcedAt, waitedMs: 0 };
    }
    // Leases granted from now on carry the new version: only those out at this moment are waited for.
    await this.#waitOut(this.#deadline(key.tokenHash));
    const enforcedAt = this.#world.now();
    const current = this.#store.keyById(keyId);
    if (current?.edition === key.edition) this.#store.putKey({ ...current, enforcedAt });
    return { keyId, version: key.version, enforcedAt, waitedMs: enforcedAt - began };
  }

  #grant(tokenHash: string, now: number, leaseMs: number): void {
    const until = Math.max(now + leaseMs, this.#deadline(tokenHash) ?? 0);
    this.#store.putLease(tokenHash, { until, incarnation: this.#world.incarnation });
  }

  /**
   * Until when (own clock) a lease on this token may be out. A lease granted by an earlier incarnation was measured on
   * a clock this one cannot compare with; it was granted before this incarnation started, so it ends at most one lease
   * after the start.
   */
  #deadline(tokenHash: string): number | null {
    const lease = this.#store.lease(tokenHash);
    if (lease === null) return null;
    return this.#onThisClock(lease, 0).until;
  }

  /** The deadline of the last lease that is out, of all keys. */
  #lastDeadline(): number | null {
    const deadlines = this.#store.leases().map((lease) => this.#onThisClock(lease, 0));
    return deadlines.length === 0 ? null : Math.max(...deadlines.map(({ until }) => until));
  }

  async #waitOut(deadline: number | null): Promise<void> {
    while (deadline !== null && this.#world.now() <= deadline) {
      await this.#world.wait(deadline - this.#world.now() + 1);
    }
  }

  /** Freezes a key in its holder's name. It stays frozen until a snapshot says that so many freezes were lifted. */
  #freeze(keyId: string): number {
    const key = this.#store.keyById(keyId);
    const snapshot = key === null ? null : readSnapshot(key);
    if (key === null || snapshot === null) throw new Error("A key that is not there cannot be frozen.");
    const edition = key.edition + 1;
    // More than was ever lifted, whatever a snapshot says of that.
    const freezes = Math.max(key.freezes, snapshot.freezesLifted) + 1;
    const frozen = encodeSnapshot(asIsolatesSee(snapshot, edition, freezes));
    this.#store.putKey({ ...key, edition, freezes, snapshot: frozen, enforcedAt: null });
    return freezes;
  }
}

function nextEdition(stored: StoredKey | null, version: number): number {
  return Math.max(version, (stored?.edition ?? 0) + 1);
}

function asIsolatesSee(snapshot: PolicySnapshot, edition: number, freezes: number): PolicySnapshot {
  const isHeld = snapshot.state === "active" && freezes > snapshot.freezesLifted;
  return { ...snapshot, version: edition, state: isHeld ? "frozen" : snapshot.state };
}

function readSnapshot(key: StoredKey): PolicySnapshot | null {
  if (key.snapshot === null) return null;
  const decoded = decodeSnapshot(key.snapshot);
  // An unreadable snapshot must not be taken for an unknown key: fail closed, loudly.
  if (!decoded.ok) throw new Error(`The stored policy snapshot cannot be read: ${decoded.error}`);
  return decoded.snapshot;
}
