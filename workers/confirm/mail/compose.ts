import type { MailMessage, OutgoingMail } from "@relaykey/core/mail";
import type { ConfirmationMail, ReviewMail } from "@relaykey/core/rpc";
import type { Dependencies } from "../config.ts";
import { encodeLink } from "../link.ts";
import { alertContent, invitationContent, signInContent } from "./account.ts";
import { confirmationContent } from "./confirmation.ts";
import type { MailContent } from "./content.ts";
import { renderHtml } from "./html.tsx";
import { reviewContent } from "./review.ts";
import { renderText } from "./text.ts";
import type { Addressee } from "./transports/transport.ts";

/** A mail, and whom a bounce of it is about. */
export interface Composed {
  readonly mail: OutgoingMail;
  readonly addressee: Addressee | null;
}

/** A message that names a mail and does not hold it. */
export type HolderMessage = Extract<MailMessage, { readonly kind: "confirmation" | "review" }>;

type Needs = Pick<Dependencies, "confirmations" | "from" | "key" | "origin">;

/** @returns null when there is nothing to say any more: what was to be confirmed has been settled or withdrawn. */
export async function compose(message: MailMessage, needs: Needs): Promise<Composed | null> {
  switch (message.kind) {
    case "confirmation":
    case "review":
      return composeForHolder(message, needs);
    case "sign_in":
      return { mail: await render(needs, message, signInContent(message)), addressee: null };
    case "invitation":
      return { mail: await render(needs, message, invitationContent(message)), addressee: null };
    case "alert":
      return { mail: await render(needs, message, alertContent(message)), addressee: null };
  }
}

/** Their words and links are the data plane's to give, at the moment of sending. */
async function composeForHolder(message: HolderMessage, needs: Needs): Promise<Composed | null> {
  const due = await dueToHolder(message, needs);
  if (due === null) return null;
  const { mailId: id, to, organizationId, holderId, token } = due;
  const code = await encodeLink({ holderLocator: message.holderLocator, token }, needs.key);
  const { origin } = needs;
  const help = `${origin}/help`;
  const content =
    "view" in due
      ? confirmationContent(due.view, `${origin}/c/${code}`, { help, networks: `${origin}/networks` })
      : reviewContent(due, `${origin}/n/${code}`, help);
  return { mail: await render(needs, { id, to }, content), addressee: { organizationId, holderId } };
}

/** The mail to a holder to send now; null when there is nothing to say any more. */
export function dueToHolder(
  message: HolderMessage,
  { confirmations }: Pick<Needs, "confirmations">,
): Promise<ConfirmationMail | ReviewMail | null> {
  return message.kind === "confirmation"
    ? confirmations.mail(message.holderLocator, message.pendingId)
    : confirmations.reviewMail(message.holderLocator, message.generation);
}

async function render(
  { from }: Needs,
  { id, to }: { readonly id: string; readonly to: string },
  content: MailContent,
): Promise<OutgoingMail> {
  return {
    id,
    from,
    to,
    subject: content.subject,
    html: await renderHtml(content),
    text: renderText(content),
  };
}
