import type { MailMessage, OutgoingMail } from "@relaykey/core/mail";
import type { Dependencies } from "../config.ts";
import { encodeLink } from "../link.ts";
import { alertContent, invitationContent, signInContent } from "./account.ts";
import { confirmationContent } from "./confirmation.ts";
import type { MailContent } from "./content.ts";
import { renderHtml } from "./html.tsx";
import { renderText } from "./text.ts";
import type { Addressee } from "./transports/transport.ts";

/** A mail, and whom a bounce of it is about. */
export interface Composed {
  readonly mail: OutgoingMail;
  readonly addressee: Addressee | null;
}

type Needs = Pick<Dependencies, "confirmations" | "from" | "key" | "origin">;

/** @returns null when there is nothing to say any more: what was to be confirmed has been settled or withdrawn. */
export async function compose(message: MailMessage, needs: Needs): Promise<Composed | null> {
  if (message.kind !== "confirmation") {
    return { mail: await render(needs, message, contentOf(message)), addressee: null };
  }
  const due = await needs.confirmations.mail(message.holderLocator, message.pendingId);
  if (due === null) return null;
  const { view, mailId: id, to, organizationId, holderId, token } = due;
  const code = await encodeLink({ holderLocator: message.holderLocator, token }, needs.key);
  const content = confirmationContent(view, `${needs.origin}/c/${code}`, `${needs.origin}/help`);
  return { mail: await render(needs, { id, to }, content), addressee: { organizationId, holderId } };
}

function contentOf(message: Exclude<MailMessage, { readonly kind: "confirmation" }>): MailContent {
  switch (message.kind) {
    case "sign_in":
      return signInContent(message);
    case "invitation":
      return invitationContent(message);
    case "alert":
      return alertContent(message);
  }
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
