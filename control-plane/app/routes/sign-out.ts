import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs } from "@remix-run/cloudflare";
import { signOut } from "../.server/session.ts";

export function loader() {
  return redirect("/");
}

export async function action({ request, context }: ActionFunctionArgs) {
  return redirect("/sign-in", { headers: { "Set-Cookie": await signOut(request, context.deps) } });
}
