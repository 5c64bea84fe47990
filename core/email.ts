/** An e-mail address in the one form in which it is stored and compared. */
export interface EmailAddress {
  /** Lower case. */
  readonly address: string;
  readonly domain: string;
}

const MAX_ADDRESS = 254;
const LOCAL_PART = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Reads an address as people type it. ASCII only: two Unicode spellings that one mail server takes for the same address
 * would be two people here, and one that folds to another's spelling would be taken for them.
 *
 * @returns null for what is no address, or is one that nobody can type (quoted local parts, address literals).
 */
export function parseEmail(text: string): EmailAddress | null {
  const trimmed = text.trim();
  // `toLowerCase` maps some letters outside ASCII onto ASCII ones (U+212A, the Kelvin sign): look first.
  if (trimmed.length > MAX_ADDRESS || !/^[\x21-\x7e]+$/.test(trimmed)) return null;
  const address = trimmed.toLowerCase();
  const at = address.lastIndexOf("@");
  const local = address.slice(0, Math.max(at, 0));
  const domain = address.slice(at + 1);
  if (local.length > 64 || !LOCAL_PART.test(local) || !DOMAIN.test(domain)) return null;
  return { address, domain };
}

/** The domain and those it lies in, down to two labels: "a.b.example.com" gives three more. */
export function withParentDomains(domain: string): string[] {
  const labels = domain.split(".");
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join("."));
}

/**
 * The mailbox that an address leads to with most providers: what follows a plus sign is a tag of its owner's choice. For
 * counting only: two addresses are two people until one of them has shown otherwise.
 */
export function mailboxOf(address: string): string {
  return address.replace(/(?<=[^+])\+.*(?=@)/, "");
}

/** Enough of an address for its owner to know where to look, too little for anybody else: "a•••@example.com". */
export function maskEmail(address: string): string {
  const at = address.lastIndexOf("@");
  const [first = ""] = address.slice(0, Math.max(0, at));
  return `${first}•••${at < 0 ? "" : address.slice(at)}`;
}
