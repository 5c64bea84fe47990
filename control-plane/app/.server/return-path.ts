/** Any origin does: a path is one that stays on it. */
const HERE = "https://relaykey.invalid";
/** Pages that somebody who has just signed in does not want to see again. */
const NOWHERE = /^\/(?:sign-in|sign-out)(?:\/|\?|$)/;

/** A path of ours to go on to, read from what anybody may have written; "/" for everything else. */
export function safePath(text: string): string {
  // Browsers take a backslash for a slash and drop control characters: "/\\evil.example" would leave.
  if (!/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/.test(text) || text.length > 512) return "/";
  if (!URL.canParse(text, HERE)) return "/";
  const url = new URL(text, HERE);
  const path = `${url.pathname}${url.search}`;
  return url.origin !== HERE || path.startsWith("//") || NOWHERE.test(path) ? "/" : path;
}

/** The page that was asked for, or whose form was sent: forms are sent to their own page. "/" where there is none to come back to. */
export function pathOf(request: Request): string {
  const { pathname, search } = new URL(request.url);
  return safePath(`${pathname}${search}`);
}

/** The query that brings a person back there. */
export function returnPathOf(request: Request): string {
  const path = pathOf(request);
  return path === "/" ? "" : `?return_to=${encodeURIComponent(path)}`;
}
