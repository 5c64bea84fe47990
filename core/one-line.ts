/** Controls, bidirectional overrides, zero-width characters, separators of lines: nothing that a person can see. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]+/gu;

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
