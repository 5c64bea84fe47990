import { concatBytes, fromBase64Url, fromUtf8, toBase64Url, utf8 } from "@relaykey/core/bytes";
import type { Secret } from "@relaykey/core/secret";
import type { IdempotentRequest } from "@relaykey/db/queries/idempotency";

const NONCE_BYTES = 12;

/** Encrypts what the answer of a request shows, so that only who made the request can have it again. */
export interface AnswerCipher {
  readonly seal: (what: Part, text: string) => Promise<string>;
  /** @throws when it was sealed for another request, or as another part. */
  readonly open: (what: Part, sealed: string) => Promise<string>;
}

/** The whole answer, or the secret that it shows once. */
type Part = "answer" | "secret";

/**
 * AES-256-GCM under a key that HKDF (RFC 5869) makes of the caller's own token, which is secret, with the Idempotency-Key as
 * its salt. The database has neither.
 */
export async function answerCipher(
  token: Secret,
  idempotencyKey: string,
  request: IdempotentRequest,
): Promise<AnswerCipher> {
  const secret = await crypto.subtle.importKey("raw", utf8(token.reveal()), "HKDF", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: utf8(idempotencyKey),
      info: utf8("relaykey idempotent answer v1"),
    },
    secret,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
  const algorithm = (what: Part, iv: Uint8Array<ArrayBuffer>) => {
    const name = `${request.organizationId}\n${request.keyHash}\n${request.requestHash}`;
    return {
      name: "AES-GCM",
      iv,
      additionalData: utf8(what === "answer" ? name : `${name}\n${what}`),
    };
  };
  return {
    seal: async (what, text) => {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const sealed = await crypto.subtle.encrypt(algorithm(what, nonce), key, utf8(text));
      return toBase64Url(concatBytes(nonce, new Uint8Array(sealed)));
    },
    open: async (what, text) => {
      const bytes = fromBase64Url(text) ?? new Uint8Array();
      const opened = await crypto.subtle.decrypt(
        algorithm(what, bytes.slice(0, NONCE_BYTES)),
        key,
        bytes.slice(NONCE_BYTES),
      );
      return fromUtf8(new Uint8Array(opened)) ?? "";
    },
  };
}
