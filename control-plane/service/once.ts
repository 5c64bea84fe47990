import { toHex, utf8 } from "@relaykey/core/bytes";
import { isId, newId } from "@relaykey/core/ids";
import { claimRequest, keepAnswer, releaseRequest } from "@relaykey/db/queries/idempotency";
import type { Earlier } from "@relaykey/db/queries/idempotency";
import { authorize } from "./authorization.ts";
import type { Action } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import type { ServiceDependencies } from "./dependencies.ts";
import { invalid, ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

const KEPT_MS = 24 * 3_600_000;
/** What is sent while its first answer is worked out waits for that: longer than the data plane is waited for. */
const LOOKS = 100;
const LOOK_AGAIN_MS = 200;
/** Nothing takes this long: a form that has no answer by then has lost it. */
const LOST_AFTER_MS = 120_000;
const CREATED = 201;

/** A form that makes something, and which of all the forms that were handed out it is. */
export interface SentForm {
  /** What sending it does. */
  readonly action: Action;
  /** A UUID that came with the form. */
  readonly nonce: string;
}

/** What became of a form: made now, or when it was sent before. */
export type Once<T> =
  | { readonly isFirst: true; readonly value: T }
  /** `madeId` is null when the first time has not been answered: whether it was done cannot be told from here. */
  | { readonly isFirst: false; readonly madeId: string | null };

/**
 * Makes something for a form at most once, however often the form is sent within a day: by a double click, a reload, the
 * back button or a second tab. Only the id of what was made is kept. A secret that was shown is not shown again (decision 20).
 *
 * @param make when it refuses, nothing was made, and the form may be corrected and sent again.
 */
export async function makeOnce<T>(
  deps: ServiceDependencies,
  caller: Caller,
  form: SentForm,
  make: () => Promise<Outcome<T>>,
  idOf: (made: T) => string,
): Promise<Outcome<Once<T>>> {
  const allowed = authorize(caller, form.action);
  if (!allowed.ok) return allowed;
  if (!isId(form.nonce)) return invalid("nonce", "Open the page again, and send the form from there.");
  const { organizationId, actor } = caller;
  const request = {
    organizationId,
    keyHash: await fingerprint(["form", organizationId, actor.kind, actor.id ?? "", form.nonce]),
    // The same form can be sent with other words in it: it has made what it makes all the same.
    requestHash: await fingerprint(["form", form.action]),
    claim: newId(),
  };
  const claim = (): Promise<Earlier | null> => {
    const now = deps.now();
    const expiresAt = new Date(now + KEPT_MS);
    return claimRequest(deps.db, request, { now: new Date(now), expiresAt, abandoned: null });
  };
  for (let look = 0; ; look += 1) {
    const earlier = await claim();
    if (earlier === null) break;
    if (earlier.answer !== null) return ok({ isFirst: false, madeId: earlier.answer });
    const isLost = deps.now() - earlier.createdAt.getTime() > LOST_AFTER_MS;
    if (isLost || look === LOOKS) return ok({ isFirst: false, madeId: null });
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
  // What it throws may have come after the change: the claim stays, and nothing is made a second time.
  const made = await make();
  if (!made.ok) {
    await releaseRequest(deps.db, request);
    return made;
  }
  await keepAnswer(deps.db, request, { status: CREATED, answer: idOf(made.value) });
  return ok({ isFirst: true, value: made.value });
}

/** SHA-256 (hex) of a list. Each part goes in with its length, so that no two lists of parts have one text. */
export async function fingerprint(parts: readonly string[]): Promise<string> {
  const text = parts.map((part) => `${String(part.length)}:${part}`).join("");
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}
