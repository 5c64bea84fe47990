import { toBase64, utf8 } from "@relaykey/core/bytes";
import { Secret } from "@relaykey/core/secret";

/** A message as the Standard Webhooks specification has it. */
export interface WebhookMessage {
  /** The same each time the message is sent: receivers tell repetitions by it. */
  readonly id: string;
  /** Of this attempt, Unix seconds. */
  readonly timestamp: number;
  readonly payload: string;
}

/** Names one version of an endpoint's secret. */
interface SecretName {
  readonly endpointId: string;
  readonly version: number;
}

/** How long the former secret signs as well after a rotation. */
export const FORMER_SECRET_MS = 24 * 3_600_000;

/**
 * The signing secret of an endpoint, as its owner pastes it into a receiver. It is derived from the control plane's own key,
 * so that none is stored and a dump of the database forges nothing.
 */
export async function endpointSecret(controlKey: CryptoKey, name: SecretName): Promise<Secret> {
  return new Secret(`whsec_${toBase64(await deriveSecret(controlKey, name))}`);
}

/**
 * The header fields of a message (Standard Webhooks, symmetric signatures "v1").
 *
 * @param names versions that sign: during a rotation the new and the former one, so that receivers with either verify it.
 */
export async function signedHeaders(
  controlKey: CryptoKey,
  names: readonly SecretName[],
  { id, timestamp, payload }: WebhookMessage,
): Promise<Record<string, string>> {
  const signatures = await Promise.all(
    names.map(async (name) => {
      const secret = await deriveSecret(controlKey, name);
      const key = await importHmac(secret);
      const signed = utf8(`${id}.${String(timestamp)}.${payload}`);
      return `v1,${toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, signed)))}`;
    }),
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" "),
  };
}

async function deriveSecret(
  controlKey: CryptoKey,
  { endpointId, version }: SecretName,
): Promise<Uint8Array<ArrayBuffer>> {
  const label = utf8(`relaykey webhook secret\n${endpointId}\n${String(version)}`);
  return new Uint8Array(await crypto.subtle.sign("HMAC", controlKey, label));
}

function importHmac(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}
