import { deriveLocalKeys } from "@relaykey/core/envelope";
import type { Keyring } from "@relaykey/core/envelope";
import { Secret } from "@relaykey/core/secret";
import { decryptWithKms } from "./kms.ts";
import type { KmsSettings } from "./kms.ts";

/** The environment, with the settings that an installation may do without. */
export type CustodyEnv = Env & {
  /** A former master key, whose envelopes are still to be rewrapped. */
  readonly RELAYKEY_MASTER_KEY_PREVIOUS?: string;
  /** Of the AWS principal that customers let use their keys. */
  readonly RELAYKEY_AWS_ACCESS_KEY_ID?: string;
  readonly RELAYKEY_AWS_SECRET_ACCESS_KEY?: string;
};

/**
 * What this proxy opens envelopes with.
 *
 * @throws RangeError with a sentence that names the setting that is malformed and repeats none of it.
 */
export async function readKeyring(env: CustodyEnv): Promise<Keyring> {
  const own = await derive("RELAYKEY_MASTER_KEY", env.RELAYKEY_MASTER_KEY);
  const previous = env.RELAYKEY_MASTER_KEY_PREVIOUS ?? "";
  const kms = readKms(env);
  return {
    local: [own, ...(previous === "" ? [] : [await derive("RELAYKEY_MASTER_KEY_PREVIOUS", previous)])],
    openForCustomer: kms === null ? null : (arn, wrapped) => decryptWithKms(arn, wrapped, kms),
  };
}

async function derive(name: string, masterKey: string): ReturnType<typeof deriveLocalKeys> {
  try {
    return await deriveLocalKeys(masterKey);
  } catch {
    // The parser's message describes the form, never the value; this one names the secret as well.
    throw new RangeError(`${name} is malformed: it must be 32 random bytes in base64.`);
  }
}

function readKms(env: CustodyEnv): KmsSettings | null {
  const accessKeyId = env.RELAYKEY_AWS_ACCESS_KEY_ID ?? "";
  const secretAccessKey = env.RELAYKEY_AWS_SECRET_ACCESS_KEY ?? "";
  const endpoint = readEndpoint(env);
  if (accessKeyId === "" && secretAccessKey === "" && endpoint === null) return null;
  if (!/^[A-Z0-9]{16,128}$/.test(accessKeyId)) {
    throw new RangeError(
      "RELAYKEY_AWS_ACCESS_KEY_ID is missing or malformed: it must be the AKIA… that AWS shows.",
    );
  }
  if (!/^[A-Za-z0-9/+=]{40,128}$/.test(secretAccessKey)) {
    throw new RangeError(
      "RELAYKEY_AWS_SECRET_ACCESS_KEY is missing or malformed: it must be the one of that access key.",
    );
  }
  return { credentials: { accessKeyId, secretAccessKey: new Secret(secretAccessKey) }, endpoint };
}

/** Whoever answers there is handed wrapped data keys: a program on this machine, and only in development. */
function readEndpoint(env: CustodyEnv): string | null {
  const endpoint: unknown = env.RELAYKEY_KMS_ENDPOINT;
  if (endpoint === undefined || endpoint === "") return null;
  const isDevelopment = env.RELAYKEY_EDITION === "local" && env.RELAYKEY_DEV_UPSTREAMS === "loopback";
  if (isDevelopment && typeof endpoint === "string" && /^http:\/\/127\.0\.0\.1:\d{1,5}$/.test(endpoint))
    return endpoint;
  throw new RangeError(
    'RELAYKEY_KMS_ENDPOINT is a development flag: it must be empty, or http://127.0.0.1:PORT where RELAYKEY_DEV_UPSTREAMS is "loopback".',
  );
}
