import { createCookie, redirect } from "@remix-run/cloudflare";
import type { AppLoadContext, TypedResponse } from "@remix-run/cloudflare";
import type { Flash } from "../components/shell/toast.tsx";

type Deps = AppLoadContext["deps"];

/** An answer without data of its own, so that the types of an action stay what its pages read. */
export type Redirect = TypedResponse<never>;

const SECONDS = 60;
const MAX_TEXT = 300;

/** Goes on to another page, which says once what was done. Never put a secret into it: it travels as a cookie. */
export async function redirectWith(deps: Deps, to: string, flash: Flash): Promise<Redirect> {
  return redirect(to, { headers: { "Set-Cookie": await flashCookie(deps).serialize(flash) } });
}

/** What the page before had to say, and the header field that makes it say it only once. */
export async function takeFlash(
  request: Request,
  deps: Deps,
): Promise<{ readonly flash: Flash | null; readonly headers: Record<string, string> }> {
  const value: unknown = await flashCookie(deps).parse(request.headers.get("cookie"));
  if (!isFlash(value)) return { flash: null, headers: {} };
  return {
    flash: { tone: value.tone, text: value.text.slice(0, MAX_TEXT) },
    headers: { "Set-Cookie": await flashCookie(deps).serialize("", { maxAge: 0 }) },
  };
}

function isFlash(value: unknown): value is Flash {
  return (
    typeof value === "object" &&
    value !== null &&
    "text" in value &&
    typeof value.text === "string" &&
    "tone" in value &&
    (value.tone === "good" || value.tone === "bad" || value.tone === "waiting")
  );
}

/** Host-bound where it can be, so that no neighbouring host can put words into our mouth. */
function flashCookie(deps: Deps) {
  const secure = !deps.insecureCookies;
  return createCookie(secure ? "__Host-flash" : "flash", {
    httpOnly: true,
    path: "/",
    sameSite: "lax",
    secure,
    maxAge: SECONDS,
  });
}
