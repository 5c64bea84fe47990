import type { ReviewMail } from "@relaykey/core/rpc";
import { moment } from "../show/moment.ts";
import { foreign, paragraph } from "./content.ts";
import type { MailContent } from "./content.ts";

/** "Where your keys work." */
export function reviewContent(
  { holderName, organizationName, expiresAt }: ReviewMail,
  link: string,
  help: string,
): MailContent {
  const organization = foreign(organizationName) || "your organization";
  return {
    subject: "Where your keys work",
    preview: "The link to the page that you asked for.",
    heading: "Where your keys work",
    blocks: [
      paragraph(
        `Somebody asked, with your address, to see from which networks the keys of ${foreign(holderName) || "yours"} at ${organization} may be used. Opening the page changes nothing. There you can stop trusting a network, and freeze a key that is not safe.`,
      ),
      { kind: "action", label: "Open the page", url: link },
      paragraph("If you did not ask, you need not do anything. Do not pass the link on."),
      {
        kind: "quiet",
        text: `The link works until ${moment(expiresAt)}. What a RelayKey is, and what to do:`,
        url: help,
      },
    ],
    footer: `You get this mail because ${organization} gave you a RelayKey. RelayKey never asks for a key or a password by mail.`,
  };
}
