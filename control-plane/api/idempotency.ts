import { fromBase64Url, fromUtf8, concatBytes, toBase64Url, utf8 } from "@relaykey/core/bytes";
import type { Secret } from "@relaykey/core/secret";
import { claimRequest, keepAnswer, releaseRequest } from "@relaykey/db/queries/idempotency";
import type { Earlier, IdempotentRequest } from "@relaykey/db/queries/idempotency";
import type { Caller } from "../service/caller.ts";
import type { ServiceDependencies } from "../service/dependencies.ts";
import { fingerprint } from "../service/once.ts";
import { ApiError } from "./errors.ts";

const KEPT_MS = 24 * 3_600_000;
/** No request takes this long: one that has no answer by then has lost it. */
const LOST_AFTER_MS = 120_000;
const NONCE_BYTES = 12;
const KEY_FORM = /^[\x21-\x7e]{1,255}$/;

/** A create that names itself, so that repeating it is safe. */
export interface Repeatable {
  readonly caller: Caller;
  readonly token: Secret;
  /** The Idempotency-Key field. */
  readonly key: string;
  /** Method, path and body as they were sent. */
  readonly content: readonly string[];
}

/**
 * Does a create once. The same request with the same key gets the first one's answer for a day, also a token that is
 * shown once: it is stored encrypted under a key that only the caller's own token and the Idempotency-Key yield, so that
 * the database alone opens nothing.
 *
 * @param run answers; below 400 it was done, from 400 on nothing was.
 * @throws ApiError when the key was used for something else, or the first request is not answered (yet).
 */
export async function once(
  deps: ServiceDependencies,
  asked: Repeatable,
  run: () => Promise<Response>,
): Promise<Response> {
  if (!KEY_FORM.test(asked.key)) throw new ApiError("idempotency_key_malformed");
  const { organizationId, actor } = asked.caller;
  const request = {
    organizationId,
    keyHash: await fingerprint([actor.kind, actor.id ?? "", asked.key]),
    requestHash: await fingerprint(asked.content),
  };
  const now = deps.now();
  const earlier = await claimRequest(deps.db, request, {
    now: new Date(now),
    expiresAt: new Date(now + KEPT_MS),
  });
  if (earlier !== null) return replay(asked, request, earlier, now);
  // What it throws may have come after the change: the claim stays, and says so to whoever repeats it.
  const response = await run();
  const text = await response.text();
  if (response.status >= 400) await releaseRequest(deps.db, request);
  else await keep(deps, asked, request, { status: response.status, text });
  return new Response(text, response);
}

async function keep(
  deps: ServiceDependencies,
  asked: Repeatable,
  request: IdempotentRequest,
  done: { readonly status: number; readonly text: string },
): Promise<void> {
  try {
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const key = await answerKey(asked);
    const sealed = await crypto.subtle.encrypt(sealing(nonce, request), key, utf8(done.text));
    const answer = toBase64Url(concatBytes(nonce, new Uint8Array(sealed)));
    await keepAnswer(deps.db, request, { status: done.status, answer });
  } catch (error) {
    // It was done: its own caller must have the answer, even though a repetition will not.
    const kind = error instanceof Error ? error.name : typeof error;
    deps.log("error", "idempotent_answer_lost", { error: kind });
  }
}

async function replay(
  asked: Repeatable,
  request: IdempotentRequest,
  earlier: Earlier,
  now: number,
): Promise<Response> {
  if (earlier.requestHash !== request.requestHash) throw new ApiError("idempotency_key_reused");
  const { status, answer, createdAt } = earlier;
  if (status === null || answer === null) {
    if (now - createdAt.getTime() > LOST_AFTER_MS) throw new ApiError("idempotency_answer_lost");
    throw new ApiError("idempotency_in_progress", [], [["Retry-After", "1"]]);
  }
  const bytes = fromBase64Url(answer) ?? new Uint8Array();
  const opened = await crypto.subtle.decrypt(
    sealing(bytes.slice(0, NONCE_BYTES), request),
    await answerKey(asked),
    bytes.slice(NONCE_BYTES),
  );
  return new Response(fromUtf8(new Uint8Array(opened)), {
    status,
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      "Idempotency-Replayed": "true",
    },
  });
}

function sealing(nonce: Uint8Array<ArrayBuffer>, request: IdempotentRequest) {
  const additionalData = utf8(`${request.organizationId}\n${request.keyHash}\n${request.requestHash}`);
  return { name: "AES-GCM", iv: nonce, additionalData };
}

/** HKDF (RFC 5869) of the token, which is secret, with the Idempotency-Key as its salt. */
async function answerKey({ token, key }: Repeatable): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey("raw", utf8(token.reveal()), "HKDF", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: utf8(key), info: utf8("relaykey idempotent answer v1") },
    secret,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
