import { CONFIRMATION_MINUTES } from "@relaykey/core/confirmation";
import { maskEmail } from "@relaykey/core/email";
import type { CanonicalIp } from "@relaykey/core/ip";
import type { BlockedRequest } from "@relaykey/core/rpc";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import { refused } from "./outcome.ts";
import type { Refused } from "./outcome.ts";
import { redactTokens } from "./slots.ts";
import type { StartLease } from "./start-lease.ts";
import type { Intake } from "./steps/intake.ts";

const MAX_PATH = 512;
const MAX_USER_AGENT = 256;

/** What the holder is told of a request from a network that may be new. */
export function describeCaller(intake: Intake, snapshot: PolicySnapshot, ip: CanonicalIp): BlockedRequest {
  return {
    method: intake.method,
    path: redactTokens(intake.rawPath).slice(0, MAX_PATH),
    userAgent: intake.userAgent === null ? null : redactTokens(intake.userAgent).slice(0, MAX_USER_AGENT),
    integration: snapshot.integration.slug,
    address: ip.address,
    place: intake.place(),
  };
}

/** The refusal of a request from a network that its holder has not confirmed: it says what became of the mail, and what to do. */
export function unconfirmed(
  { holder }: PolicySnapshot,
  { address, network }: CanonicalIp,
  confirmation: StartLease["confirmation"],
): Refused {
  if (confirmation === null) return refused("ip_unconfirmed");
  const { mail, number, expiresAt } = confirmation;
  const masked = holder.email === null ? null : maskEmail(holder.email);
  return refused("ip_unconfirmed", {
    detail: sentence(mail, number, address, masked),
    members: {
      masked_email: mail === "sent" ? masked : null,
      confirmation: {
        mail,
        pairing_code: number,
        address,
        network,
        expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
      },
    },
  });
}

function sentence(
  mail: NonNullable<StartLease["confirmation"]>["mail"],
  number: string | null,
  address: string,
  masked: string | null,
): string {
  const isNew = `This key was not used from ${address} before.`;
  switch (mail) {
    case "sent":
      return `${isNew} A mail is on its way to ${masked ?? "its holder"}: open it within ${String(CONFIRMATION_MINUTES)} minutes and confirm the address; its number is ${number ?? ""}. Then send the request again.`;
    case "spared":
      return `${isNew} So many new addresses asked of late that no further mail is sent just now. Send the request again in a few minutes, or ask your administrator to approve the address.`;
    case "unsendable":
      return `${isNew} No mail can be sent to its holder. Ask your administrator to approve the address.`;
    case "locked":
      return `${isNew} Wrong numbers were given for it too often. Send the request again in ${String(CONFIRMATION_MINUTES)} minutes for a new mail, or ask your administrator to approve the address.`;
  }
}
