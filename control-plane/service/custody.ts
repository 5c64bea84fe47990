import { fromBase64Url, toHex } from "@relaykey/core/bytes";
import { listCustody } from "@relaykey/db/queries/custody";
import type { CustodyRecord } from "@relaykey/db/queries/custody";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

const MAX_INTEGRATIONS = 500;

export interface Custody {
  /** SHA-256 of the sealing key, hex: what to compare with the one that the secrets were made with. */
  readonly fingerprint: string;
  readonly integrations: readonly CustodyRecord[];
}

/** How vendor keys are kept. The control plane has the sealing half of the pair only. */
export async function showCustody(deps: ServiceDependencies, caller: Caller): Promise<Outcome<Custody>> {
  const allowed = authorize(caller, "integration.read");
  if (!allowed.ok) return allowed;
  const publicKey = fromBase64Url(deps.sealingKey) ?? new Uint8Array();
  const digest = await crypto.subtle.digest("SHA-256", publicKey);
  return ok({
    fingerprint: toHex(new Uint8Array(digest)),
    integrations: await listCustody(deps.db, caller.organizationId, MAX_INTEGRATIONS),
  });
}
