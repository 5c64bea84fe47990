import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import type {
  ConfirmationEnd,
  ConfirmationView,
  EndedLink,
  HolderNetworks,
  KeyRef,
} from "@relaykey/core/rpc";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { Announcer, whereabouts } from "./announcer.ts";
import { canonicalBlock } from "./block.ts";
import type { HolderKeys } from "./holder-keys.ts";
import type { ConfirmationHint, LeaseRequest } from "./lease.ts";
import { endOfKey } from "./key-end.ts";
import { Links, presentPending } from "./links.ts";
import type { MailSeed } from "./links.ts";
import { NOWHERE, claim } from "./network-store.ts";
import type { NetworkStore, StoredPending } from "./network-store.ts";
import { Pending } from "./pending.ts";
import type { RandomBytes } from "./pending.ts";
import { Review } from "./review.ts";
import { Trust, isShared } from "./trust.ts";

/** A mail but for its token. */
export interface AdmittedMail {
  readonly to: string;
  readonly organizationId: string;
  readonly holderId: string;
  readonly mailId: string;
  readonly view: ConfirmationView;
}

/**
 * From where a holder's keys may be used, and how the holder comes to say so. What changes durably is changed in one turn;
 * a change is reported when no lease that contradicts it is out any more.
 */
export class Networks {
  readonly #store: NetworkStore;
  readonly #now: () => number;
  readonly #keys: HolderKeys;
  readonly #trust: Trust;
  readonly #announcer: Announcer;
  readonly #pending: Pending;
  readonly #links: Links;
  /** What the holder sees and takes back of it. */
  readonly review: Review;
  #stirred = false;

  constructor(
    store: NetworkStore,
    world: { readonly now: () => number; readonly random: RandomBytes },
    keys: HolderKeys,
  ) {
    this.#store = store;
    this.#now = world.now;
    this.#keys = keys;
    this.#trust = new Trust(store);
    this.#announcer = new Announcer(store);
    const snapshotOf = (keyId: string): PolicySnapshot | null => keys.snapshotOf(keyId);
    this.#pending = new Pending(store, this.#trust, this.#announcer, world.random, snapshotOf);
    this.#links = new Links(store, this.#trust, this.#pending, this.#announcer, snapshotOf);
    const parts = { trust: this.#trust, pending: this.#pending, announcer: this.#announcer };
    const stir = (): void => {
      this.#stirred = true;
    };
    this.review = new Review(store, parts, keys, { ...world, stir });
  }

  /**
   * Whether requests may start from the network of a question (G6). Only one that wants to start something can be the first
   * use, or be held against the network.
   */
  gate(
    snapshot: PolicySnapshot,
    { network, want, caller }: Pick<LeaseRequest, "network" | "want" | "caller">,
    now: number,
  ): { readonly blocked: boolean; readonly confirmation: ConfirmationHint | null } {
    const policy = snapshot.confirmation;
    if (snapshot.ip.mode !== "confirm" || network === "") return { blocked: false, confirmation: null };
    const standing = this.#trust.standing(policy, network, now);
    if (standing === "admitted") {
      if (want > 0) this.#trust.seen(policy, network, now);
      return { blocked: false, confirmation: null };
    }
    const isOfInterest =
      standing === "unknown" &&
      want > 0 &&
      caller !== null &&
      endOfKey(snapshot, now) === null &&
      Pending.isConsistent(snapshot, network, caller);
    if (!isOfInterest) return { blocked: true, confirmation: null };
    this.#stirred = true;
    if (this.#trust.isFirstUse(policy)) {
      this.#trust.add(network, "first_use", caller.place, now);
      this.#pending.settleInside(network, now);
      return { blocked: false, confirmation: null };
    }
    return { blocked: true, confirmation: this.#pending.turnAway(snapshot, network, caller, want, now) };
  }

  list(): HolderNetworks {
    const now = this.#now();
    const { storm } = this.#store.notes();
    const policy = this.#policy();
    return {
      trusted: this.#trust.list(policy, now),
      firstUse: policy !== null && this.#trust.isFirstUse(policy),
      pending: this.#pending.open(now).map(presentPending),
      storm: storm === null ? null : { since: storm.since, networks: storm.networks },
    };
  }

  /**
   * Trusts a network or a block in the holder's stead. An IPv6 block smaller than what counts as one client is widened to it.
   *
   * @throws RangeError when it is no block, or shared by strangers.
   */
  async approve(text: string): Promise<string> {
    const policy = this.#policy();
    const network = canonicalBlock(text, policy?.v6Prefix ?? 128);
    if (network === null) throw new RangeError("A network is an address or a CIDR block without host bits.");
    if (policy !== null && isShared(policy, network)) {
      throw new RangeError("The network is shared by strangers: it cannot be trusted.");
    }
    const now = this.#now();
    const waiting = this.#pending.current(network, now);
    this.#trust.add(network, "approved", waiting?.request.place ?? NOWHERE, now);
    this.#pending.settleInside(network, now);
    this.#stirred = true;
    await this.#keys.waitOut();
    return network;
  }

  /** Waits also when there was nothing to remove: an earlier call may have died while it waited. */
  async remove(text: string): Promise<boolean> {
    claim(this.#store);
    const wasTrusted = this.#trust.remove(canonicalBlock(text, 128) ?? text);
    await this.#keys.waitOut();
    return wasTrusted;
  }

  dismiss(pendingId: string): boolean {
    claim(this.#store);
    const entry = this.#store.pendingById(pendingId);
    if (entry === null) return false;
    this.#store.removePending(pendingId);
    return true;
  }

  seed(pendingId: string): MailSeed | null {
    return this.#links.seed(pendingId, this.#now());
  }

  admitLink(seed: MailSeed, tokenHash: string): AdmittedMail | null {
    const admitted = this.#links.admit(seed, tokenHash, this.#now());
    const to = admitted?.snapshot.holder.email ?? null;
    if (admitted === null || to === null) return null;
    const { organizationId, holderId } = admitted.snapshot;
    return {
      to,
      organizationId,
      holderId,
      mailId: `${seed.pendingId}.${String(seed.generation)}`,
      view: admitted.view,
    };
  }

  view(tokenHash: string): ConfirmationView | EndedLink {
    return this.#links.view(tokenHash, this.#now());
  }

  async confirm(
    tokenHash: string,
    number: string | null,
  ): Promise<{ readonly state: "confirmed_now" | "mismatch" | ConfirmationEnd }> {
    claim(this.#store);
    const { state, entry } = this.#links.confirm(tokenHash, number, this.#now());
    this.#stirred = true;
    if (entry?.state === "confirmed") await this.#settle(entry);
    return { state };
  }

  /** Freezes all keys that were used from the network, and answers when that is enforced. */
  async reject(tokenHash: string): Promise<{
    readonly state: "frozen_now" | ConfirmationEnd;
    readonly keys: readonly KeyRef[];
  }> {
    claim(this.#store);
    const { state, entry } = this.#links.reject(tokenHash, this.#now());
    const snapshots = (entry?.state === "rejected" ? entry.keyIds : []).flatMap(
      (keyId) => this.#keys.snapshotOf(keyId) ?? [],
    );
    if (state === "frozen_now" && entry !== null) {
      this.#stirred = true;
      for (const snapshot of snapshots) this.#freeze(snapshot, entry);
    }
    await Promise.all(snapshots.map(({ keyId }) => this.#keys.enforce(keyId)));
    return {
      state,
      keys: snapshots.map(({ keyId, tokenHash: hash, holderLocator }) => ({
        keyId,
        tokenHash: hash,
        holderLocator,
      })),
    };
  }

  resend(tokenHash: string): { readonly state: "sent" | "throttled" | ConfirmationEnd } {
    claim(this.#store);
    this.#stirred = true;
    return this.#links.resend(tokenHash, this.#now());
  }

  /** Does what became possible by time alone: mails that were spared. */
  tick(): void {
    this.#pending.grantMails(this.#now());
  }

  /** When something is to be done next (own clock, epoch ms); null: nothing is. */
  nextWake(): number | null {
    const moments = this.#store.messages().map(({ due }) => due);
    const mail = this.#announcer.nextAt(this.#pending.waiting(this.#now()), this.#now());
    if (mail !== null) moments.push(mail);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  /** Whether `nextWake` may have changed since this was asked last. */
  takeStirred(): boolean {
    const stirred = this.#stirred;
    this.#stirred = false;
    return stirred;
  }

  async #settle(entry: StoredPending): Promise<void> {
    if (entry.settled) return;
    await this.#keys.waitOut();
    const current = this.#store.pendingById(entry.id);
    if (current?.state === "confirmed") this.#store.putPending({ ...current, settled: true });
  }

  #freeze(snapshot: PolicySnapshot, entry: StoredPending): void {
    if (snapshot.state !== "active") return;
    const freezes = this.#keys.freeze(snapshot.keyId);
    const now = this.#now();
    this.#announcer.notify("key.frozen", `${snapshot.keyId}.frozen.${String(freezes)}`, snapshot, now, {
      by: "holder",
      freezes,
      pending_id: entry.id,
      ...whereabouts(entry),
    });
  }

  /** All keys of a holder have the same; the newest snapshot may differ for the time a change takes. */
  #policy(): ConfirmationPolicy | null {
    return this.#keys.snapshots().at(-1)?.confirmation ?? null;
  }
}
