const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Vendors name versions of their API by the day. */
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MAX_WORD = 40;

/**
 * Whether a path segment names one thing among many of its kind, so that the next request will have another: a number, a
 * UUID, "cus_NffrFeUfNV2Hib", a hash, an e-mail address. "gpt-4o-mini", "v1" and "chat.postMessage" do not.
 */
export function looksLikeIdentifier(segment: string): boolean {
  if (/^\d+$/.test(segment) || UUID.test(segment) || segment.includes("@") || segment.length > MAX_WORD)
    return true;
  if (DATE.test(segment)) return false;
  const words = segment.split(/[-_.:+ ]/).filter((word) => word !== "");
  if (words.some(looksRandom)) return true;
  // "order-1029", "INV_2024_0001": a long number, unless words around it make it the date of a version.
  return words.length <= 3 && words.some((word) => /^\d{3,}$/.test(word));
}

/** Letters mixed with digits, or upper with lower case, as no word has them. */
function looksRandom(word: string): boolean {
  if (word.length < 8) return false;
  if (/^[0-9a-f]+$/i.test(word) && /\d/.test(word) && /[a-f]/i.test(word)) return true;
  const switches = Array.from(word).filter(
    (letter, index) => index > 0 && kind(letter) !== kind(word[index - 1]),
  );
  return switches.length >= 3 && (/\d/.test(word) || switches.length * 3 >= word.length);
}

function kind(letter: string | undefined): "digit" | "upper" | "lower" {
  if (letter === undefined || /\d/.test(letter)) return "digit";
  return letter === letter.toUpperCase() ? "upper" : "lower";
}

/** A name for what stands behind this word in a path: "zones" → "zone"; null when it makes none. */
export function nameAfter(word: string): string | null {
  const name = word
    .toLowerCase()
    .replaceAll("-", "_")
    .replace(/ies$/, "y")
    .replace(/(?<!s)s$/, "");
  return /^[a-z][a-z_]{1,31}$/.test(name) ? name : null;
}
