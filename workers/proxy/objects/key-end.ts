import type { PolicySnapshot } from "@relaykey/core/snapshot";

/** Why a key can be confirmed for no network at all; null when it can. */
export function endOfKey(snapshot: PolicySnapshot | null, now: number): "frozen" | "key_ended" | null {
  if (snapshot === null || snapshot.state === "revoked") return "key_ended";
  if (snapshot.expiresAt !== null && now >= snapshot.expiresAt) return "key_ended";
  return snapshot.state === "frozen" ? "frozen" : null;
}
