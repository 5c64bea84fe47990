import type { Fact } from "../show/facts.ts";
import { moment } from "../show/moment.ts";
import { oneLine } from "@relaykey/core/one-line";
import { unlinked } from "../show/text.ts";

/** A part of a mail. Both renderings say the same of each. */
export type Block =
  | { readonly kind: "paragraph"; readonly text: string }
  | {
      readonly kind: "facts";
      readonly facts: readonly { label: string; value: string; technical: boolean }[];
    }
  | { readonly kind: "action"; readonly label: string; readonly url: string }
  | { readonly kind: "code"; readonly label: string; readonly code: string }
  | { readonly kind: "quiet"; readonly text: string; readonly url?: string };

/** What a mail says, before it is HTML or text. Foreign words in it have gone through `foreign`. */
export interface MailContent {
  readonly subject: string;
  /** Shown by mail programs beside the subject. */
  readonly preview: string;
  readonly heading: string;
  readonly blocks: readonly Block[];
  /** Why the mail was sent. */
  readonly footer: string;
}

const SUBJECT_LENGTH = 140;

/** Words of others, fit for a mail: one visible line, not too long, and no link. */
export function foreign(text: string, max = 80): string {
  return unlinked(oneLine(text, max));
}

/** A subject shows no markup and makes no links, but must stay one line. */
export function subjectLine(text: string): string {
  return oneLine(text, SUBJECT_LENGTH);
}

export function paragraph(text: string): Block {
  return { kind: "paragraph", text };
}

export function factsBlock(facts: readonly Fact[]): Block {
  return {
    kind: "facts",
    facts: facts.map(({ label, value, technical, at }) => ({
      label,
      value: at === undefined ? unlinked(value) : moment(at),
      technical: technical === true,
    })),
  };
}
