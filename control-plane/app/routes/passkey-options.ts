import type { ActionFunctionArgs } from "@remix-run/cloudflare";
import { beginAssertion, beginEnrollment } from "../../service/account/passkeys.ts";
import { readForm } from "../.server/form.ts";
import { refuse } from "../.server/page.ts";
import { requirePerson } from "../.server/session.ts";

/** What a browser needs to make or show a passkey: a challenge of its own each time. */
export async function action({ request, context: { deps } }: ActionFunctionArgs) {
  const person = await requirePerson(request, deps);
  const purpose = (await readForm(request)).text("purpose");
  const begun =
    purpose === "enroll" ? await beginEnrollment(deps, person) : await beginAssertion(deps, person);
  return begun.ok
    ? Response.json({ options: begun.value })
    : Response.json(refuse(begun.failure).data, { status: 403 });
}
