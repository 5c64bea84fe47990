import { encodeNotice } from "@relaykey/core/notice";
import type { MailFailure } from "@relaykey/core/notice";
import type { Dependencies } from "../config.ts";
import type { Addressee } from "./transports/transport.ts";

/** Mail to a holder does not arrive. */
export interface Failure {
  /** The same for the same failure reported again. */
  readonly id: string;
  readonly reason: MailFailure;
  readonly address: string;
  readonly at: number;
}

/** Tells the control plane, which marks the holder. Rejects when the queue does not take it. */
export async function reportFailure(
  { notices }: Pick<Dependencies, "notices">,
  { organizationId, holderId }: Addressee,
  { id, reason, address, at }: Failure,
): Promise<void> {
  const notice = encodeNotice({
    v: 1,
    type: "holder.mail_failed",
    dedupeKey: `mail_failed:${id}`.slice(0, 256),
    organizationId,
    keyId: null,
    holderId,
    integrationId: null,
    at,
    data: { reason, address },
  });
  await notices.send(notice, { contentType: "text" });
}
