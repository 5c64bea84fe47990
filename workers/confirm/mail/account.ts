import type { MailMessage } from "@relaykey/core/mail";
import { clientName } from "@relaykey/core/client-name";
import { moment } from "../show/moment.ts";
import { factsBlock, foreign, paragraph, subjectLine } from "./content.ts";
import type { Block, MailContent } from "./content.ts";

type Of<Kind extends MailMessage["kind"]> = Extract<MailMessage, { readonly kind: Kind }>;

const SIGN_IN_FOOTER =
  "You get this mail because somebody asked to sign in with this address. Without the link or the code nobody can.";

export function signInContent(mail: Of<"sign_in">): MailContent {
  const from = [
    ...(mail.ip === null ? [] : [{ label: "Asked from", value: foreign(mail.ip), technical: true } as const]),
    ...(mail.userAgent === null ? [] : [{ label: "With", value: clientName(mail.userAgent) }]),
  ];
  return {
    subject: subjectLine(`${mail.code} is your code to sign in`),
    preview: "A link and a code to sign in to RelayKey.",
    heading: "Sign in to RelayKey",
    blocks: [
      { kind: "action", label: "Sign in", url: mail.link },
      { kind: "code", label: "Or type this code where you asked for it", code: foreign(mail.code, 32) },
      ...(from.length === 0 ? [] : [factsBlock(from)]),
      paragraph("If you did not ask for this, do nothing: nobody is signed in. Never tell anybody the code."),
      { kind: "quiet", text: `Link and code work once, until ${moment(mail.expiresAt)}.` },
    ],
    footer: SIGN_IN_FOOTER,
  };
}

export function invitationContent(mail: Of<"invitation">): MailContent {
  const organization = foreign(mail.organization);
  const who = mail.invitedBy === null ? "You are" : `${foreign(mail.invitedBy)} has`;
  const invited = mail.invitedBy === null ? "invited" : "invited you";
  return {
    subject: subjectLine(`Invitation to ${mail.organization} on RelayKey`),
    preview: `${who} ${invited} to join ${organization}.`,
    heading: `Join ${organization}`,
    blocks: [
      paragraph(`${who} ${invited} to join ${organization} on RelayKey as ${foreign(mail.role)}.`),
      { kind: "action", label: "See the invitation", url: mail.link },
      paragraph("If you do not know who this is from, do nothing."),
      { kind: "quiet", text: `The invitation can be used once, until ${moment(mail.expiresAt)}.` },
    ],
    footer: "You get this mail because somebody entered your address to invite you.",
  };
}

export function alertContent(mail: Of<"alert">): MailContent {
  const blocks: Block[] = mail.text.map((text) => paragraph(foreign(text, 2_000)));
  return {
    subject: subjectLine(mail.title),
    preview: foreign(mail.text[0] ?? mail.organization, 140),
    heading: foreign(mail.title, 160),
    blocks: mail.action === null ? blocks : [...blocks, { kind: "action", ...mail.action }],
    footer: `You get this mail because you are told of what happens in ${foreign(mail.organization)}. Who is told what is set in the dashboard.`,
  };
}
