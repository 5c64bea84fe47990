import { SHARED_EGRESS } from "@relaykey/core/confirmation";
import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import { compileNetworks, parseCidr } from "@relaykey/core/ip";
import type { Place, TrustedNetwork } from "@relaykey/core/rpc";
import type { NetworkStore } from "./network-store.ts";

/** `shared`: by strangers, so that nobody can vouch for it, whoever said otherwise. */
export type Standing = "admitted" | "unknown" | "shared";

const DAY_MS = 86_400_000;
/** "Last seen" is written no more often than this. */
const SEEN_STEP_MS = 60_000;
/** The one that was used least of late makes room. */
const MAX_TRUSTED = 1_000;
const SHARED_BY_ALL = compileNetworks(SHARED_EGRESS);

/**
 * The networks that a holder's keys may be used from. A network is admitted when all of it lies in a trusted or preapproved
 * block: what counts as one client is admitted as a whole, and an isolate's lease is one for all of it.
 */
export class Trust {
  readonly #store: NetworkStore;

  constructor(store: NetworkStore) {
    this.#store = store;
  }

  standing(policy: ConfirmationPolicy, network: string, now: number): Standing {
    if (isShared(policy, network)) return "shared";
    if (this.#covering(policy, network, now) !== null) return "admitted";
    return compileNetworks(policy.preapproved).contains(network) ? "admitted" : "unknown";
  }

  /** Notes that an admitted network is used, which keeps it from ageing out, and is a use like any other. */
  seen(policy: ConfirmationPolicy, network: string, now: number): void {
    // Who began in a preapproved network, has begun: the next network may be a thief's.
    this.#takeFirstUse();
    const trusted = this.#covering(policy, network, now);
    if (trusted !== null && now - trusted.lastSeen >= SEEN_STEP_MS) {
      this.#store.putTrusted({ ...trusted, lastSeen: now });
    }
  }

  /** Whether the next network would be the holder's first: none was ever trusted, or used, by whatever way. */
  isFirstUse(policy: ConfirmationPolicy): boolean {
    return policy.trustOnFirstUse && !this.#store.notes().firstUseTaken && this.#store.trusted().length === 0;
  }

  add(network: string, source: TrustedNetwork["source"], place: Place, now: number): void {
    const known = this.#store.trustedNetwork(network);
    this.#store.putTrusted({ network, source, firstSeen: known?.firstSeen ?? now, lastSeen: now, place });
    // Removing, or outliving, all of them does not bring the first use back: a key that leaked meanwhile would have it.
    this.#takeFirstUse();
    const all = this.#store.trusted();
    if (all.length <= MAX_TRUSTED) return;
    const [idle] = all
      .filter((other) => other.network !== network)
      .sort((one, other) => one.lastSeen - other.lastSeen);
    if (idle !== undefined) this.#store.removeTrusted(idle.network);
  }

  /** @returns false when it was not trusted by this very name. */
  remove(network: string): boolean {
    const known = this.#store.trustedNetwork(network);
    if (known !== null) this.#store.removeTrusted(network);
    return known !== null;
  }

  /** Those that count, the newest use first. */
  list(policy: ConfirmationPolicy | null, now: number): TrustedNetwork[] {
    return this.#store
      .trusted()
      .filter((network) => policy === null || counts(network, policy, now))
      .sort((one, other) => other.lastSeen - one.lastSeen);
  }

  /** Whether the holder is known to use this provider's network. */
  isFamiliar(place: Place): boolean {
    return place.asn !== null && this.#store.trusted().some((known) => known.place.asn === place.asn);
  }

  #takeFirstUse(): void {
    const notes = this.#store.notes();
    if (!notes.firstUseTaken) this.#store.putNotes({ ...notes, firstUseTaken: true });
  }

  #covering(policy: ConfirmationPolicy, network: string, now: number): TrustedNetwork | null {
    const same = this.#store.trustedNetwork(network);
    if (same !== null && counts(same, policy, now)) return same;
    return (
      this.#store
        .trusted()
        .find((known) => counts(known, policy, now) && compileNetworks([known.network]).contains(network)) ??
      null
    );
  }
}

export function isShared(policy: ConfirmationPolicy, network: string): boolean {
  return (
    SHARED_BY_ALL.overlaps(network) ||
    (policy.neverConfirmable.length > 0 && compileNetworks(policy.neverConfirmable).overlaps(network))
  );
}

/** Whether somebody's word for a network still holds. */
function counts(known: TrustedNetwork, policy: ConfirmationPolicy, now: number): boolean {
  return !hasAged(known, policy, now) && !isTooWide(known, policy);
}

/**
 * A person vouched for one client. Since the prefix that counts as one was made narrower, the network is a crowd, and which
 * of it was meant nobody knows: it has to be confirmed again. A block that an admin approved was meant as a block.
 */
function isTooWide({ network, source }: TrustedNetwork, { v6Prefix }: ConfirmationPolicy): boolean {
  if (source === "approved" || !network.includes(":")) return false;
  return (parseCidr(network)?.bits ?? 0) < v6Prefix;
}

function hasAged({ lastSeen }: TrustedNetwork, { trustDays }: ConfirmationPolicy, now: number): boolean {
  return trustDays !== null && now >= lastSeen + trustDays * DAY_MS;
}
