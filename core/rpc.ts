/** What the planes say to each other over Worker RPC: types only, so that no plane imports another's code. */

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
  /** Questions about this key that the object has answered since it started. */
  readonly leasesAsked: number;
  readonly trustedIps: readonly {
    readonly network: string;
    readonly firstSeen: number;
    readonly lastSeen: number;
  }[];
}

/** All that the control plane may ask of the data plane. A rejection means "not enforced". */
export interface KeyControlApi {
  /** Makes an encoded policy snapshot hold; an older version than the one that holds changes nothing. */
  apply(snapshot: string): Promise<EnforcementReceipt>;
  revoke(ref: KeyRef, version: number): Promise<EnforcementReceipt>;
  inspect(ref: KeyRef): Promise<KeyInspection | null>;
  ping(): Promise<"ok">;
}
