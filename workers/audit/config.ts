import { openSigner, readChainKeys } from "@relaykey/core/audit-chain/keys";
import type { ChainKey, ChainSigner } from "@relaykey/core/audit-chain/keys";
import { encodeNotice } from "@relaykey/core/notice";
import type { Notice } from "@relaykey/core/notice";
import { openDatabase } from "@relaykey/db/client";
import type { Database } from "@relaykey/db/client";

export interface Dependencies {
  readonly db: Database;
  readonly signer: ChainSigner;
  /** Keys that entries of the chain may be signed by: the signer's and those before it. */
  readonly chainKeys: readonly ChainKey[];
  /** To the control plane; resolves once it is queued. */
  readonly sendNotice: (notice: Notice) => Promise<void>;
}

/** A variable or secret is missing or malformed; the message names it. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** @throws ConfigurationError naming what is missing or malformed. */
export async function configure(env: Env): Promise<Dependencies> {
  const url: unknown = env.DATABASE_URL;
  if (typeof url !== "string" || !/^postgres(ql)?:\/\//.test(url)) {
    throw new ConfigurationError(
      "DATABASE_URL is missing or malformed: it must be a postgres:// connection string.",
    );
  }
  const endpoint: unknown = env.RELAYKEY_SQL_ENDPOINT;
  if (typeof endpoint !== "string" || (endpoint !== "" && !URL.canParse(endpoint))) {
    throw new ConfigurationError("RELAYKEY_SQL_ENDPOINT must be empty or a URL.");
  }
  const queue: unknown = env.NOTICE_QUEUE;
  if (typeof queue !== "object" || queue === null) {
    throw new ConfigurationError(
      "The binding NOTICE_QUEUE is missing: declare it in workers/audit/wrangler.toml.",
    );
  }
  const signer = await readSigner(env.RELAYKEY_AUDIT_KEY);
  return {
    db: openDatabase(url, endpoint),
    signer,
    chainKeys: await readKeys(env.RELAYKEY_AUDIT_PUBLIC_KEYS, signer),
    sendNotice: async (notice) => {
      await env.NOTICE_QUEUE.send(encodeNotice(notice), { contentType: "text" });
    },
  };
}

async function readSigner(key: unknown): Promise<ChainSigner> {
  try {
    return await openSigner(typeof key === "string" ? key : "");
  } catch {
    // The reader's message describes the form; this one names the secret, and neither repeats it.
    throw new ConfigurationError(
      "RELAYKEY_AUDIT_KEY is missing or malformed: it must be 32 random bytes in base64.",
    );
  }
}

/** Whoever reads the chain knows these keys: one that is not among them would sign in vain. */
async function readKeys(list: unknown, { publicKey }: ChainSigner): Promise<readonly ChainKey[]> {
  const keys = typeof list === "string" ? await readChainKeys(list) : null;
  if (keys === null) {
    throw new ConfigurationError(
      "RELAYKEY_AUDIT_PUBLIC_KEYS is missing or malformed: it must be public keys in base64url, separated by commas.",
    );
  }
  if (!keys.some(({ id }) => id === publicKey.id)) {
    throw new ConfigurationError(
      `RELAYKEY_AUDIT_PUBLIC_KEYS must have the public half of RELAYKEY_AUDIT_KEY, which is ${publicKey.text}.`,
    );
  }
  return keys;
}
