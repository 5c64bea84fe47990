/** A full stop before a letter, in any of the forms that name resolution takes for one (UTS #46). */
const DOT_OF_NAME = /[.\u3002\uFF0E\uFF61](?=[\p{L}])/gu;

/**
 * Foreign text that no mail program turns into a link: they make one of whatever looks like an address, and the caller
 * of a blocked request chose its path and user agent.
 */
export function unlinked(text: string): string {
  return text.replaceAll("//", "/[/]").replaceAll("@", "[at]").replace(DOT_OF_NAME, "[.]");
}
