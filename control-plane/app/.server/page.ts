import { isId } from "@relaykey/core/ids";
import { data } from "@remix-run/cloudflare";
import type { AppLoadContext } from "@remix-run/cloudflare";
import { API_ERRORS } from "../../api/errors.ts";
import { authorize } from "../../service/authorization.ts";
import type { Action } from "../../service/authorization.ts";
import type { Caller } from "../../service/caller.ts";
import { fail } from "../../service/outcome.ts";
import type { Failure, Outcome } from "../../service/outcome.ts";
import type { ShownFailure } from "../components/failure.ts";
import { requireMember } from "./session.ts";
import type { SignedInMember } from "./session.ts";

/** What each loader and each action gets. */
interface RequestArgs {
  readonly request: Request;
  readonly context: AppLoadContext;
}

/** A request of somebody who is signed in and may do what they ask for. */
export interface Visit {
  readonly deps: AppLoadContext["deps"];
  readonly caller: Caller;
  readonly url: URL;
}

/** What a form gets back that was refused: status and all. */
export interface Refusal extends ReturnType<typeof data<RefusedForm>> {
  readonly data: RefusedForm;
}

interface RefusedForm {
  readonly failure: ShownFailure;
  /** What was typed, so that a form can be filled again where no scripts keep it; never a secret. */
  readonly values: Readonly<Record<string, string>>;
}

/** All loaders of one answer ask who is calling; it is looked up once. */
const members = new WeakMap<AppLoadContext, Promise<SignedInMember>>();

/**
 * The first line of each loader and each action behind the sign-in.
 *
 * @throws a redirect to the sign-in page, or the page that says why the caller may not.
 */
export async function enter({ request, context }: RequestArgs, action: Action): Promise<Visit> {
  const { caller } = await memberOf(request, context);
  unwrap(authorize(caller, action));
  const url = new URL(request.url);
  // The database takes no NUL in a text, so nothing is called so.
  if (url.href.includes("%00")) missing();
  return { deps: context.deps, caller, url };
}

/** Who is signed in, whatever they may do. */
export function memberOf(request: Request, context: AppLoadContext): Promise<SignedInMember> {
  const known = members.get(context);
  if (known !== undefined) return known;
  const asked = requireMember(request, context.deps);
  members.set(context, asked);
  return asked;
}

/**
 * The value of an outcome that the page cannot do without.
 *
 * @throws the page of the refusal: "there is no such thing", "you may not".
 */
export function unwrap<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  // Remix takes thrown data for the answer.
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is how a loader shows another page
  throw data(showFailure(outcome.failure), { status: API_ERRORS[outcome.failure.code].status });
}

/** Shows that there is no such thing. */
export function missing(): never {
  return unwrap<never>(fail("not_found"));
}

/** The answer of an action that was refused: the form comes back with what is wrong beside its fields. */
export function refuse(failure: Failure, values: Readonly<Record<string, string>> = {}): Refusal {
  return data({ failure: showFailure(failure), values }, { status: API_ERRORS[failure.code].status });
}

function showFailure({ code, detail, errors = [] }: Failure): ShownFailure {
  const row = API_ERRORS[code];
  return { code, title: row.title, detail: detail ?? row.detail, errors };
}

/** A cursor of our own; what is none begins the list. */
export function readCursor(search: URLSearchParams): string | null {
  const cursor = search.get("cursor");
  return cursor !== null && isId(cursor) ? cursor : null;
}
