import { inject } from "vitest";

const { outbox } = inject("local");
const MAIL_DEADLINE_MS = 20_000;

export interface Mail {
  readonly subject: string;
  readonly text: string;
}

export const SIGN_IN_LINK = /http\S+\/sign-in\/link\?token=[\w-]+/;
export const INVITATION_LINK = /http\S+\/invitations\/[\w-]+/;
export const CODE = /\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b/;

/** The mails of an address, as the outbox shows them, once there are so many. */
export async function mailsTo(address: string, count = 1): Promise<readonly Mail[]> {
  const deadline = Date.now() + MAIL_DEADLINE_MS;
  for (;;) {
    const answer = await fetch(`${outbox}/messages?to=${encodeURIComponent(address)}`);
    const { data } = (await answer.json()) as { data: Mail[] };
    if (data.length >= count) return data;
    if (Date.now() > deadline)
      throw new Error(`${address} got ${String(data.length)} of ${String(count)} mails.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** What a mail says after this pattern; newest mail first. */
export function inMails(mails: readonly Mail[], pattern: RegExp): string {
  const found = mails.map(({ text }) => pattern.exec(text)?.[0]).find((text) => text !== undefined);
  if (found === undefined) throw new Error(`No mail holds ${String(pattern)}.`);
  return found;
}
