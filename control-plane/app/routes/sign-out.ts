import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs } from "@remix-run/cloudflare";
import { signOut } from "../../service/account/sessions.ts";
import { originOf, readSessionToken, setSessionToken } from "../.server/session.ts";

export function loader() {
  return redirect("/");
}

export async function action({ request, context: { deps } }: ActionFunctionArgs) {
  const token = await readSessionToken(request, deps);
  if (token !== null) await signOut(deps, token, originOf(request, deps));
  return redirect("/sign-in", { headers: { "Set-Cookie": await setSessionToken(deps, null) } });
}
