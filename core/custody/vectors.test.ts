import { constants, createPrivateKey, privateDecrypt } from "node:crypto";
import { expect, test } from "vitest";
import { deriveLocalKeys, openSecret, unwrapEnvelope } from "../envelope.ts";
import type { EnvelopeContext, Keyring } from "../envelope.ts";
import vectors from "./vectors.json" with { type: "json" };

interface Case {
  readonly name: string;
  readonly envelope: string;
  /** Absent: the one that all were sealed in. */
  readonly context?: EnvelopeContext;
  /** What was sealed; null: it must not open. */
  readonly expect: string | null;
}

const { arn, privateKey } = vectors.customer;
const key = createPrivateKey({ key: privateKey, format: "jwk" });

async function keyring(): Promise<Keyring> {
  return {
    local: [await deriveLocalKeys(vectors.masterKey)],
    openForCustomer: (asked, wrapped) => {
      if (asked !== arn) throw new RangeError(asked);
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      return Promise.resolve(new Uint8Array(privateDecrypt({ key, padding, oaepHash: "sha256" }, wrapped)));
    },
  };
}

/** Envelopes that are stored somewhere look like this: a change of the format must not lose them unseen. */
test.each(vectors.cases as readonly Case[])("$name", async ({ envelope, context, expect: plaintext }) => {
  const opening = unwrapEnvelope(envelope, context ?? (vectors.context as EnvelopeContext), await keyring());
  if (plaintext === null) {
    await expect(opening.then(openSecret)).rejects.toThrow();
  } else {
    expect((await openSecret(await opening)).reveal()).toBe(plaintext);
  }
});
