import { newId } from "@relaykey/core/ids";
import { Secret } from "@relaykey/core/secret";
import { claimRequest, keepAnswer, releaseRequest } from "@relaykey/db/queries/idempotency";
import type { Claim, Earlier } from "@relaykey/db/queries/idempotency";
import type { Caller } from "../service/caller.ts";
import type { ServiceDependencies } from "../service/dependencies.ts";
import { fingerprint } from "../service/once.ts";
import { answerCipher } from "./answer-cipher.ts";
import type { AnswerCipher } from "./answer-cipher.ts";
import { ApiError } from "./errors.ts";
import type { Made } from "./route.ts";

const KEPT_MS = 24 * 3_600_000;
/** No request takes this long: one that has made nothing by then is over, and another attempt may do it. */
const ABANDONED_AFTER_MS = 120_000;
/** How often, and for how long in all, a repetition waits for the first one's answer. */
const LOOK_AGAIN_MS = 200;
const LOOKS = 25;
const KEY_FORM = /^[\x21-\x7e]{1,255}$/;

/** A create that names itself, so that repeating it is safe. */
export interface Repeatable {
  readonly caller: Caller;
  readonly token: Secret;
  /** The Idempotency-Key field. */
  readonly key: string;
  /** Method, path and body as they were sent. */
  readonly content: readonly string[];
  /** Does it. Below 400 it was done, from 400 on nothing was. */
  readonly run: (caller: Caller) => Promise<Response>;
  /** Answers for what an earlier attempt made. */
  readonly again: (made: Made) => Promise<Response>;
}

/**
 * Does a create once. The same request with the same key gets the first one's answer for a day, also a token that is shown
 * once. Which request made a thing, and the token, are stored in the transaction that makes it: whatever becomes of the
 * first attempt after that, a repetition works the answer out from what is there, and makes nothing.
 *
 * @throws ApiError when the key was used for something else, or the first attempt is still under way.
 */
export async function once(deps: ServiceDependencies, asked: Repeatable): Promise<Response> {
  if (!KEY_FORM.test(asked.key)) throw new ApiError("idempotency_key_malformed");
  const { organizationId, actor } = asked.caller;
  const request = {
    organizationId,
    keyHash: await fingerprint([actor.kind, actor.id ?? "", asked.key]),
    requestHash: await fingerprint(asked.content),
    claim: newId(),
  };
  const cipher = await answerCipher(asked.token, asked.key, request);
  for (let look = 0; ; look += 1) {
    const now = deps.now();
    const earlier = await claimRequest(deps.db, request, {
      now: new Date(now),
      expiresAt: new Date(now + KEPT_MS),
      abandoned: new Date(now - ABANDONED_AFTER_MS),
    });
    if (earlier === null) return attempt(deps, asked, request, cipher);
    if (earlier.requestHash !== request.requestHash) throw new ApiError("idempotency_key_reused");
    const { status, answer } = earlier;
    if (status !== null && answer !== null) return replay(status, await cipher.open("answer", answer));
    // Whoever makes it has a moment to answer; then what was made is answered for here, and looked at once more, so that
    // all who repeat it get one answer.
    if (look === LOOKS) await answerFor(deps, asked, request, cipher, earlier);
    else if (look < LOOKS) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    else throw new ApiError("idempotency_answer_lost");
  }
}

async function attempt(
  deps: ServiceDependencies,
  asked: Repeatable,
  request: Claim,
  cipher: AnswerCipher,
): Promise<Response> {
  const { organizationId, keyHash, claim } = request;
  const seal = (secret: Secret) => cipher.seal("secret", secret.reveal());
  const caller = { ...asked.caller, request: { organizationId, keyHash, claim, seal } };
  try {
    const response = await asked.run(caller);
    const text = await response.text();
    if (response.status >= 400) await releaseRequest(deps.db, request);
    else await keep(deps, request, cipher, { status: response.status, text });
    return new Response(text, response);
  } catch (error) {
    // Nothing was made, or it is noted what. What may still be on its way to the database cannot commit any more.
    await releaseRequest(deps.db, request).catch(() => undefined);
    throw error;
  }
}

/** @throws ApiError when nothing was made yet, or what was made is gone. */
async function answerFor(
  deps: ServiceDependencies,
  { again }: Repeatable,
  request: Claim,
  cipher: AnswerCipher,
  { madeId, sealed }: Earlier,
): Promise<void> {
  if (madeId === null) throw new ApiError("idempotency_in_progress", [], [["Retry-After", "1"]]);
  const secret = sealed === null ? null : new Secret(await cipher.open("secret", sealed));
  const response = await again({ id: madeId, secret });
  if (response.status >= 400) throw new ApiError("idempotency_answer_lost");
  await keep(deps, request, cipher, { status: response.status, text: await response.text() });
}

async function keep(
  deps: ServiceDependencies,
  request: Claim,
  cipher: AnswerCipher,
  { status, text }: { readonly status: number; readonly text: string },
): Promise<void> {
  try {
    await keepAnswer(deps.db, request, { status, answer: await cipher.seal("answer", text) });
  } catch (error) {
    // It was done: its own caller has the answer, and a repetition can work it out.
    const kind = error instanceof Error ? error.name : typeof error;
    deps.log("error", "idempotent_answer_not_kept", { error: kind });
  }
}

function replay(status: number, text: string): Response {
  return new Response(text, {
    status,
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      "Idempotency-Replayed": "true",
    },
  });
}
