import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs } from "@remix-run/cloudflare";
import { signOut } from "../../service/account/sessions.ts";
import { forgetDraft } from "../.server/draft.ts";
import { originOf, readSessionToken, setDraftToken, setSessionToken } from "../.server/session.ts";

export function loader() {
  return redirect("/");
}

export async function action(args: ActionFunctionArgs) {
  const { request, context } = args;
  const { deps } = context;
  const token = await readSessionToken(request, deps);
  if (token !== null) await signOut(deps, token, originOf(request, deps));
  await forgetDraft(args);
  const headers = new Headers();
  headers.append("Set-Cookie", await setSessionToken(deps, null));
  headers.append("Set-Cookie", await setDraftToken(deps, null));
  return redirect("/sign-in", { headers });
}
