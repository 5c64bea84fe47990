/** Controls, bidirectional overrides, zero-width characters, separators of lines: nothing that a person can see. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]+/gu;
/** A full stop before a letter, in any of the forms that name resolution takes for one (UTS #46). */
const DOT_OF_NAME = /[.\u3002\uFF0E\uFF61](?=[\p{L}])/gu;

/** Foreign text as one visible line of at most `max` characters. */
export function oneLine(text: string, max: number): string {
  const flat = text.replace(UNSEEN, " ").replace(/\s+/gu, " ").trim();
  const characters = Array.from(flat);
  return characters.length <= max
    ? flat
    : `${characters
        .slice(0, max - 1)
        .join("")
        .trimEnd()}…`;
}

/**
 * Foreign text that no mail program turns into a link: they make one of whatever looks like an address, and the caller
 * of a blocked request chose its path and user agent.
 */
export function unlinked(text: string): string {
  return text.replaceAll("//", "/[/]").replaceAll("@", "[at]").replace(DOT_OF_NAME, "[.]");
}
