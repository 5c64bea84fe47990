import type { Notice } from "@relaykey/core/notice";
import { stopMail } from "@relaykey/db/queries/holder-mail";
import { adminEvent, systemCaller } from "../caller.ts";
import type { ServiceDependencies } from "../dependencies.ts";
import { enforceKeys } from "../enforcement.ts";
import { noteHolderFreeze } from "../key-lifecycle.ts";

/** What a report means for the system of record. Each effect may be asked for again. */
export async function takeEffect(deps: ServiceDependencies, notice: Notice): Promise<void> {
  const { organizationId, keyId, holderId, data } = notice;
  const at = new Date(notice.at);
  if (notice.type === "key.frozen" && keyId !== null && holderId !== null) {
    const freezes = Number(data["freezes"] ?? 1);
    await noteHolderFreeze(deps, { organizationId, keyId, holderId, freezes, at });
  }
  if (notice.type === "holder.mail_failed" && holderId !== null) {
    const { reason, address } = data;
    if ((reason === "bounced" || reason === "complained") && typeof address === "string") {
      await markMail(deps, { organizationId, holderId, reason, address, at });
    }
  }
}

/** The holder gets no more mail; its keys learn it with a new policy version. */
async function markMail(
  deps: ServiceDependencies,
  failure: {
    readonly organizationId: string;
    readonly holderId: string;
    readonly reason: "bounced" | "complained";
    readonly address: string;
    readonly at: Date;
  },
): Promise<void> {
  const { organizationId, holderId, reason } = failure;
  const event = adminEvent(
    systemCaller(organizationId),
    "holder.mail_stopped",
    { kind: "holder", id: holderId },
    { before: { mailState: "ok" }, after: { mailState: reason } },
  );
  const keyIds = await stopMail(deps.db, failure, event);
  await enforceKeys(deps, organizationId, keyIds);
}
