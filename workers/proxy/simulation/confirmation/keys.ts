import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import type { ConfirmationPolicy } from "@relaykey/core/confirmation";
import type { BlockedRequest } from "@relaykey/core/rpc";
import { decodeSnapshot, encodeSnapshot } from "@relaykey/core/snapshot";
import { NOWHERE } from "../../objects/network-store.ts";
import { KEY, snapshotText } from "../policies.ts";

/** Ids as notices carry them. */
export const HOLDER = {
  keyId: "01890000-0000-7000-8000-000000000001",
  organizationId: "01890000-0000-7000-8000-000000000002",
  holderId: "01890000-0000-7000-8000-000000000003",
} as const;

/** The simulated key, as a person's: used from where its holder confirms. */
export function personsKey(
  version: number,
  change: {
    readonly confirmation?: Partial<ConfirmationPolicy>;
    readonly freezesLifted?: number;
    readonly email?: string | null;
    readonly mailable?: boolean;
  } = {},
): string {
  const decoded = decodeSnapshot(snapshotText("wide", version));
  if (!decoded.ok) throw new Error(decoded.error);
  const { email = "ada@example.com", mailable = true } = change;
  return encodeSnapshot({
    ...decoded.snapshot,
    ...HOLDER,
    ip: { mode: "confirm" },
    confirmation: { ...DEFAULT_CONFIRMATION, ...change.confirmation },
    freezesLifted: change.freezesLifted ?? 0,
    integration: { ...decoded.snapshot.integration, id: "01890000-0000-7000-8000-000000000004" },
    holder: { ...decoded.snapshot.holder, kind: "person", name: "Ada", email, mailable },
  });
}

export const PERSONS_KEY = { ...KEY, keyId: HOLDER.keyId };

/** A request that waits at the gate. */
export function callerAt(address: string, asn: number | null = null): BlockedRequest {
  return {
    method: "GET",
    path: "/v1/things",
    userAgent: null,
    integration: "vendor",
    address,
    place: { ...NOWHERE, asn },
  };
}
