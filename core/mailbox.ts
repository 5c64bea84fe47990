/** An address with the name it is shown under. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** What may stand in an envelope and a header: no spaces, brackets or quotes, hence no second address or command. */
const ADDRESS = /^[^\s\p{Cc}<>"(),:;\\[\]@]{1,64}@[^\s\p{Cc}<>"(),:;\\[\]@]{1,255}$/u;

export function isAddress(text: string): boolean {
  return ADDRESS.test(text);
}

/** Reads `Name <address>` or a bare address; null for anything else. */
export function parseMailbox(text: string): Mailbox | null {
  const [, name = "", address = text] = /^([^<>\p{Cc}]*)<([^<>]*)>$/u.exec(text) ?? [];
  if (!isAddress(address)) return null;
  return { name: name.trim().replace(/^"(.*)"$/, "$1"), address };
}

/** The part after the last `@`. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}
