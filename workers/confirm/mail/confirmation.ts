import type { ConfirmationView } from "@relaykey/core/rpc";
import { factsOf, keyTitle } from "../show/facts.ts";
import { moment } from "../show/moment.ts";
import { factsBlock, foreign, paragraph, subjectLine } from "./content.ts";
import type { MailContent } from "./content.ts";

/** "Was this you?" */
export function confirmationContent(
  view: ConfirmationView,
  link: string,
  pages: { readonly help: string; readonly networks: string },
): MailContent {
  const key = keyTitle(view);
  const name = foreign(key);
  return {
    subject: subjectLine(`Was this you? “${key}” was used from a new address`),
    preview: "The call was stopped. Tell us whether it was you.",
    heading: "Was this you?",
    blocks: [
      paragraph(
        `Your key “${name}” was used from an address that it has not been used from before. The call was stopped: nothing reached ${foreign(view.pending.request.integration)}.`,
      ),
      factsBlock(factsOf(view)),
      { kind: "action", label: "Answer on a page", url: link },
      paragraph(
        view.numberMatching
          ? "Opening the page changes nothing. There you say whether it was you; if it was, you type the number that the stopped call was answered with."
          : "Opening the page changes nothing. There you say whether it was you.",
      ),
      paragraph("If it was not you, say so on the same page: the key is then frozen at once."),
      {
        kind: "quiet",
        text: `The page can be used once, until ${moment(view.expiresAt)}; after that it can still freeze the key. What this mail means, and what to do:`,
        url: pages.help,
      },
      { kind: "quiet", text: "From where your keys may be used:", url: pages.networks },
    ],
    footer: `You get this mail because ${foreign(view.organizationName) || "your organization"} gave you a RelayKey. RelayKey never asks for a key or a password by mail.`,
  };
}
