/** What the planes say to each other over Worker RPC: types only, so that no plane imports another's code. */

import type { ChallengeResult, RewrapResult } from "./custody/orders.ts";
import type { ProbeResult } from "./probe.ts";

/** Names a key to the data plane. */
export interface KeyRef {
  /** Names the holder's object: 16 hex digits. */
  readonly holderLocator: string;
  readonly keyId: string;
  readonly tokenHash: string;
}

/** The data plane's word that a policy version holds everywhere. */
export interface EnforcementReceipt {
  readonly keyId: string;
  /** The version that holds now; higher than the one that was sent when a newer one had arrived already. */
  readonly version: number;
  /** Epoch ms: from here on no request starts under an older version. */
  readonly enforcedAt: number;
  /** Time spent waiting for leases to end, in ms. */
  readonly waitedMs: number;
}

/** The enforcement state of a key, as its holder object has it. */
export interface KeyInspection {
  readonly keyId: string;
  readonly version: number;
  readonly state: "active" | "revoked" | "frozen";
  /** Epoch ms; 0 when no lease was ever granted. */
  readonly leasedUntil: number;
  readonly usesTaken: number;
  /** How often its holder has frozen it ("this wasn't me"). To unfreeze it is to lift so many (`freezesLifted`). */
  readonly holderFreezes: number;
  /** Questions about this key that the object has answered since it started. */
  readonly leasesAsked: number;
}

/** What the edge tells of an address (`request.cf`). Empty where it tells nothing, as in the local edition. */
export interface Place {
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
  readonly region: string | null;
  readonly city: string | null;
  readonly asn: number | null;
  /** Who runs the network. */
  readonly network: string | null;
}

/** A network that a holder's keys may be used from. `network` is canonical (core/ip). Moments are epoch ms. */
export interface TrustedNetwork {
  readonly network: string;
  readonly source: "first_use" | "confirmed" | "approved";
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly place: Place;
}

/** A request that was refused because its network is not trusted: what its holder is asked about. */
export interface BlockedRequest {
  readonly method: string;
  readonly path: string;
  readonly userAgent: string | null;
  readonly integration: string;
  readonly address: string;
  readonly place: Place;
}

/** A network that waits for the holder's word. */
export interface PendingNetwork {
  /** Unguessable, but no proof of anything. */
  readonly id: string;
  readonly network: string;
  readonly keyId: string;
  /** The first of them. */
  readonly request: BlockedRequest;
  readonly since: number;
  readonly lastSeen: number;
  /** Blocked requests from this network since. */
  readonly attempts: number;
  readonly expiresAt: number;
  /** Whether a mail was asked for: not while the holder's mailbox is being spared. */
  readonly mailed: boolean;
}

export interface HolderNetworks {
  readonly trusted: readonly TrustedNetwork[];
  readonly pending: readonly PendingNetwork[];
  /** The next network would be the first, and trusted as it is used. */
  readonly firstUse: boolean;
  /** More new networks than a person comes by: most of them are neither listed nor mailed about. */
  readonly storm: { readonly since: number; readonly networks: number } | null;
}

/** What the page behind a confirmation link may know. */
export interface ConfirmationView {
  readonly state: "pending";
  readonly pending: PendingNetwork;
  readonly keyName: string;
  readonly keyDisplay: string;
  readonly holderName: string;
  readonly organizationName: string;
  /** The person has to type the number that the refused call was answered with. */
  readonly numberMatching: boolean;
  readonly expiresAt: number;
}

/** Why a confirmation link leads nowhere (any more). */
export type ConfirmationEnd =
  | "unknown"
  | "expired"
  /** By this or another link; or by an admin. */
  | "confirmed"
  | "rejected"
  /** Too many wrong numbers. */
  | "locked"
  /** The key is frozen. */
  | "frozen"
  /** The key was revoked or has expired. */
  | "key_ended";

/** What a page says of a key before it freezes it. */
export type FreezableKey = Pick<ConfirmationView, "keyName" | "keyDisplay" | "organizationName">;

/** A link that confirms nothing any more. */
export interface EndedLink {
  readonly state: ConfirmationEnd;
  /** The key, where "this wasn't me" can still be said. */
  readonly freezable?: FreezableKey;
}

/** What a mail about a pending network says; its link holds `token`. */
export interface ConfirmationMail {
  readonly to: string;
  /** Whom it is for: what a bounce is reported about. */
  readonly organizationId: string;
  readonly holderId: string;
  readonly view: ConfirmationView;
  /** 256 bits, base64url. The same for a repeated delivery of the same mail. */
  readonly token: string;
  /** Names this very mail, for senders that can tell a repetition. */
  readonly mailId: string;
}

/** One of a holder's keys, as its holder may see it. */
export interface ReviewedKey {
  readonly keyId: string;
  readonly name: string;
  readonly display: string;
  readonly integration: string;
  readonly isFrozen: boolean;
  /** From where it may be used: only "confirm" minds the holder's networks. */
  readonly addresses: "confirm" | "allowlist" | "any";
}

/** What the page about a holder's own networks may know. */
export interface ReviewView {
  readonly state: "open";
  readonly holderName: string;
  readonly organizationName: string;
  readonly trusted: readonly TrustedNetwork[];
  /** Blocks that the organization's policy admits without anybody's word. */
  readonly preapproved: readonly string[];
  readonly pending: readonly PendingNetwork[];
  readonly keys: readonly ReviewedKey[];
  readonly expiresAt: number;
}

/** A mail with a link to that page. */
export interface ReviewMail {
  readonly to: string;
  readonly organizationId: string;
  readonly holderId: string;
  readonly holderName: string;
  readonly organizationName: string;
  /** 256 bits, base64url. The same for a repeated delivery of the same mail. */
  readonly token: string;
  readonly mailId: string;
  readonly expiresAt: number;
}

/** "ended": the link works no more, or never did. */
export type RemovalState =
  | "removed_now"
  /** Removed, but a block that admins approved still admits it. */
  | "covered"
  | "not_trusted"
  /** By an admin, who alone can take that back. */
  | "approved"
  | "ended";

/** What became of a key that its holder froze. `withinSeconds`: from when on no request starts under it, anywhere. */
export interface ReviewFreeze {
  readonly state: "frozen_now" | "frozen" | "key_ended" | "ended";
  readonly withinSeconds: number;
}

/** All that the confirm Worker may ask of the data plane. It is handed no vendor key, no snapshot and no list. */
export interface ConfirmationsApi {
  /** The mail to send now, or null when there is nothing to confirm any more. */
  mail(holderLocator: string, pendingId: string): Promise<ConfirmationMail | null>;
  /** Looks; changes nothing. */
  view(holderLocator: string, token: string): Promise<ConfirmationView | EndedLink>;
  /** Uses the token up. `number` is what the person typed. "mismatch" counts against the entry. */
  confirm(
    holderLocator: string,
    token: string,
    number: string | null,
  ): Promise<{ readonly state: "confirmed_now" | "mismatch" | ConfirmationEnd }>;
  /** "This wasn't me": freezes the key, and answers when it is enforced. */
  reject(holderLocator: string, token: string): Promise<{ readonly state: "frozen_now" | ConfirmationEnd }>;
  /** Asks for a new mail in place of an expired one; the throttle applies. */
  resend(
    holderLocator: string,
    token: string,
  ): Promise<{ readonly state: "sent" | "throttled" | ConfirmationEnd }>;
  /** The mail with a link to the holder's own networks to send now, or null when none is due any more. */
  reviewMail(holderLocator: string, generation: number): Promise<ReviewMail | null>;
  /** The token of such a link for whoever has just answered for an address; null when nobody has, with that link. */
  openReview(holderLocator: string, token: string): Promise<string | null>;
  /** Looks; changes nothing. From here on `token` is a review's. */
  review(holderLocator: string, token: string): Promise<ReviewView | { readonly state: "ended" }>;
  /** Stops trusting a network; answers when no request starts from it any more. */
  stopTrusting(
    holderLocator: string,
    token: string,
    network: string,
  ): Promise<{ readonly state: RemovalState }>;
  /** Freezes one of the holder's keys, and answers when that is enforced. */
  freezeKey(holderLocator: string, token: string, keyId: string): Promise<ReviewFreeze>;
  ping(): Promise<"ok">;
}

/** All that the control plane may ask of the data plane. A rejection means "not enforced". */
export interface KeyControlApi {
  /** Makes an encoded policy snapshot hold; an older version than the one that holds changes nothing. */
  apply(snapshot: string): Promise<EnforcementReceipt>;
  revoke(ref: KeyRef, version: number): Promise<EnforcementReceipt>;
  inspect(ref: KeyRef): Promise<KeyInspection | null>;
  /** Tries a sealed vendor key (an encoded order, core/probe) with the one request that the catalogue names. */
  probe(order: string): Promise<ProbeResult>;
  /** Opens a challenge (an encoded order, core/custody/orders) and answers with its digest: that is all it can be made to open. */
  proveCustody(order: string): Promise<ChallengeResult>;
  /** Wraps a vendor key's data key for another customer's key, or for the proxy's own pair alone (an encoded order). */
  rewrap(order: string): Promise<RewrapResult>;
  networks(holderLocator: string): Promise<HolderNetworks>;
  /**
   * Trusts a network, or a block (canonical CIDR), in the holder's stead. Pending entries inside it are settled. Answers the
   * network that an address stands for, as lists name it.
   */
  approveNetwork(holderLocator: string, network: string): Promise<string>;
  /** Stops trusting a network; answers when no request starts from it any more. False: it was not trusted. */
  removeNetwork(holderLocator: string, network: string): Promise<boolean>;
  /** Drops a pending entry without trusting it; its links are dead. */
  dismissPending(holderLocator: string, pendingId: string): Promise<boolean>;
  /** Mails the holder a link to their own networks, unless there is nobody to mail or they were mailed enough. */
  mailReview(holderLocator: string): Promise<void>;
  ping(): Promise<"ok">;
}
