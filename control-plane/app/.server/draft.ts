import { redirect } from "@remix-run/cloudflare";
import type { LoaderFunctionArgs } from "@remix-run/cloudflare";
import {
  dropDraft,
  findDraft,
  keepDraft,
  ownerMark,
  readOwnerMark,
} from "../../service/account/form-drafts.ts";
import type { FormOwner } from "../../service/account/form-drafts.ts";
import type { Person } from "../../service/account/person.ts";
import { authorize } from "../../service/authorization.ts";
import type { Action } from "../../service/authorization.ts";
import type { Caller } from "../../service/caller.ts";
import type { KeptForm } from "../components/draft.tsx";
import { readForm } from "./form.ts";
import type { FormValues } from "./form.ts";
import { enter } from "./page.ts";
import type { Visit } from "./page.ts";
import { pathOf } from "./return-path.ts";
import { callerOf, readDraftToken, readPerson, setDraftToken } from "./session.ts";

type Args = Pick<LoaderFunctionArgs, "request" | "context">;

/** Fields that belong to one rendering of a form, not to what was typed. */
const OF_ONE_RENDERING = ["nonce", "intent", "owner"];

/**
 * `enter` for an action whose form is not lost when its sender has to sign in, or to show a passkey, first: what was typed is kept
 * and the page shows it again when they come back. Nothing is done then until they send it themselves (decision 33).
 *
 * @param secrets fields that are never kept, beside the vendor key.
 */
export async function enterWithForm(
  args: Args,
  action: Action,
  secrets: readonly string[] = [],
): Promise<Visit & { readonly form: FormValues }> {
  const { request, context } = args;
  const form = await readForm(request);
  const owner = await readOwnerMark(context.deps, form.raw("owner"));
  const person = await readPerson(request, context.deps);
  const path = pathOf(request);
  const isHeldUp = person === null || (owner !== null && lacksPasskey(person, owner, action));
  if (owner === null || path === "/" || !isHeldUp) return { ...(await enter(args, action)), form };
  const values = form.echo(...secrets, ...OF_ONE_RENDERING);
  const token = await keepDraft(context.deps, owner, { path, values });
  const to = `${person === null ? "/sign-in" : "/passkey"}?return_to=${encodeURIComponent(path)}`;
  const headers = token === null ? {} : { "Set-Cookie": await setDraftToken(context.deps, token) };
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is how an action leads elsewhere
  throw redirect(to, { headers });
}

/** What the form of a page needs to be kept, and what was kept of it, in this browser and for this person. */
export async function keptForm({ request, context }: Args, { deps, caller }: Visit): Promise<KeptForm> {
  const owner = ownerOf(caller);
  if (owner === null) return { owner: "", values: null };
  const token = await readDraftToken(request, context.deps);
  const values = token === null ? null : await findDraft(deps, owner, token, pathOf(request));
  return { owner: await ownerMark(deps, owner), values };
}

/** Once a form has done what it is for, or its sender leaves. */
export async function forgetDraft({ request, context: { deps } }: Args): Promise<void> {
  const token = await readDraftToken(request, deps);
  if (token !== null) await dropDraft(deps, token);
}

function ownerOf({ organizationId, actor }: Caller): FormOwner | null {
  return actor.kind === "user" ? { userId: actor.id, organizationId } : null;
}

/** Whether all that is missing is the passkey of the very person whose form it is. */
function lacksPasskey(person: Person, { userId, organizationId }: FormOwner, action: Action): boolean {
  const caller = callerOf(person);
  if (caller === null || person.userId !== userId || caller.organizationId !== organizationId) return false;
  const allowed = authorize(caller, action);
  return !allowed.ok && allowed.failure.code === "passkey_needed";
}
