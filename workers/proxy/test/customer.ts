import { env } from "cloudflare:workers";
import { toBase64Url } from "@relaykey/core/bytes";
import type { CustomerKey } from "@relaykey/core/custody/customer-key";
import { deriveLocalKeys, sealSecret, vendorKeyContext } from "@relaykey/core/envelope";
import { Secret } from "@relaykey/core/secret";
import { encodeSnapshot } from "@relaykey/core/snapshot";
import { VENDOR_KEY, keyControl, makeKey } from "./world.ts";
import type { KeyChanges, TestKey } from "./world.ts";

const CONTROL = "https://kms-control.example.com";

/** A fresh RSA key in the KMS of the tests. */
export async function customerKey(): Promise<CustomerKey> {
  const arn = `arn:aws:kms:eu-central-1:111122223333:key/${crypto.randomUUID()}`;
  const answer = await fetch(`${CONTROL}/public-key?arn=${encodeURIComponent(arn)}`);
  return { arn, publicKey: toBase64Url(new Uint8Array(await answer.arrayBuffer())) };
}

/** From now on KMS answers so for this key: an error of its own, or something worse. "" ends it. */
export async function kmsFails({ arn }: CustomerKey, type: string): Promise<void> {
  await (
    await fetch(`${CONTROL}/fail?arn=${encodeURIComponent(arn)}&type=${encodeURIComponent(type)}`)
  ).text();
}

/** How often KMS was asked to open something with this key. */
export async function kmsAsked({ arn }: CustomerKey): Promise<number> {
  const answer = await fetch(`${CONTROL}/asked?arn=${encodeURIComponent(arn)}`);
  return (await answer.json<{ asked: number }>()).asked;
}

/** A key in force whose vendor key is sealed under a customer's key. */
export async function sealedForCustomer(key: CustomerKey, changes: KeyChanges = {}): Promise<TestKey> {
  const { token, snapshot } = await makeKey(changes);
  const { integration, organizationId } = snapshot;
  const { publicKey } = await deriveLocalKeys(env.RELAYKEY_MASTER_KEY);
  const envelope = await sealSecret(
    { publicKey, customerKey: key },
    vendorKeyContext(organizationId, integration),
    new Secret(VENDOR_KEY),
  );
  const sealed = { ...snapshot, integration: { ...integration, secret: { version: 1, envelope } } };
  await keyControl().apply(encodeSnapshot(sealed));
  return { token, snapshot: sealed };
}
