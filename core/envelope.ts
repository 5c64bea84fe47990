import * as z from "zod/mini";
import { equalBytes, fromBase64Url, fromUtf8, toBase64Url, utf8 } from "./bytes.ts";
import type { Bytes } from "./bytes.ts";
import { customerKeyId, wrapForCustomer } from "./custody/customer-key.ts";
import type { CustomerKey } from "./custody/customer-key.ts";
import { parseKeyArn } from "./custody/key-arn.ts";
import { CustodyError } from "./custody/problems.ts";
import { destinationOf, destinationText } from "./destination.ts";
import type { Destination } from "./destination.ts";
import { localKeyId, unwrapKey, wrapKey } from "./hpke-local.ts";
import type { LocalKeys } from "./hpke-local.ts";
import type { IntegrationSnapshot } from "./integration.ts";
import { Secret } from "./secret.ts";

export { deriveLocalKeys } from "./hpke-local.ts";
export type { LocalKeys } from "./hpke-local.ts";

/**
 * What an envelope belongs to. It is bound into both ciphertexts, so an envelope cannot be moved to another record, and a
 * vendor key cannot be sent elsewhere than it was given for. Who can seal can make another envelope, of a secret of their own;
 * to bind an old one anew takes the proxy's private half, and the proxy does not.
 */
export type EnvelopeContext = VendorKeyContext | ChallengeContext;

interface Belonging {
  readonly organizationId: string;
  readonly recordId: string;
  /** Of the secret, not of the format: each rotation of a vendor key has its own. */
  readonly version: number;
}

export interface VendorKeyContext extends Belonging {
  readonly field: "vendor_key";
  readonly destination: Destination;
}

/** A challenge proves that a customer's key opens what is sealed for it; it can never be opened as a vendor key. */
interface ChallengeContext extends Belonging {
  readonly field: "custody_challenge";
}

/** The context in which the vendor key opens that an integration's snapshot holds: of what the snapshot says, nothing else. */
export function vendorKeyContext(organizationId: string, integration: IntegrationSnapshot): VendorKeyContext {
  return {
    organizationId,
    recordId: integration.id,
    field: "vendor_key",
    version: integration.secret.version,
    destination: destinationOf(integration),
  };
}

/** For whom data keys are wrapped. */
export interface SealingTarget {
  /** The sealing half of the proxy's own pair (base64url). */
  readonly publicKey: string;
  /** Wraps the wrapped data key once more: to open it takes the proxy's key and the customer's. null: it is not wanted. */
  readonly customerKey: CustomerKey | null;
}

/** Asks a customer's key to open what was wrapped for it. @throws CustodyError */
export type CustomerKeyOpener = (arn: string, wrapped: Bytes) => Promise<Bytes>;

/** What can open envelopes: the proxy alone has one. */
export interface Keyring {
  /** The pair in force first, then former ones that envelopes may still be sealed for. */
  readonly local: readonly LocalKeys[];
  /** null: no customer's key can be asked here. */
  readonly openForCustomer: CustomerKeyOpener | null;
}

const DATA_KEY_BYTES = 32;
const NONCE_BYTES = 12;

const base64url = z.string().check(z.regex(/^[A-Za-z0-9_-]+$/));
const keyId = z.string().check(z.regex(/^[0-9a-f]{16}$/));

/**
 * Format 2; format 1 did not bind the destination and does not open. `provider` names who wrapped the data key; further
 * providers join without a change to stored rows.
 */
const envelopeSchema = z.discriminatedUnion("provider", [
  z.strictObject({
    v: z.literal(2),
    provider: z.literal("local"),
    kek: keyId,
    enc: base64url,
    key: base64url,
    nonce: base64url,
    ct: base64url,
  }),
  // As `local`, but `key` is wrapped once more, for the RSA key `cmk` that AWS KMS keeps at `arn`.
  z.strictObject({
    v: z.literal(2),
    provider: z.literal("aws-kms"),
    arn: z.string().check(z.refine((text) => parseKeyArn(text) !== null, "not the ARN of a KMS key")),
    cmk: keyId,
    kek: keyId,
    enc: base64url,
    key: base64url,
    nonce: base64url,
    ct: base64url,
  }),
]);

type Envelope = z.infer<typeof envelopeSchema>;
/** An envelope without what is sealed in it: for whom the data key is wrapped, and the wrapped data key. */
type Head = WithoutContent<Envelope>;
type WithoutContent<E> = E extends Envelope ? Omit<E, "nonce" | "ct"> : never;

/**
 * Seals a vendor key: AES-256-GCM under a fresh data key, which is wrapped for the target.
 *
 * @returns the envelope's text.
 * @throws RangeError when a public key cannot be read.
 */
export async function sealSecret(
  target: SealingTarget,
  context: EnvelopeContext,
  plaintext: Secret,
): Promise<string> {
  const dataKeyBytes = crypto.getRandomValues(new Uint8Array(DATA_KEY_BYTES));
  const dataKey = await crypto.subtle.importKey("raw", dataKeyBytes, "AES-GCM", false, ["encrypt"]);
  // One message per data key: a random nonce cannot repeat under it.
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const ciphertext = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: additionalData(context) },
    dataKey,
    utf8(plaintext.reveal()),
  );
  const head = await wrapDataKey(target, context, dataKeyBytes);
  dataKeyBytes.fill(0);
  return writeEnvelope({ ...head, nonce: toBase64Url(nonce), ct: toBase64Url(new Uint8Array(ciphertext)) });
}

/** An envelope whose data key is unwrapped: ready to be decrypted, as often as needed. The vendor key is not in it. */
export interface UnwrappedEnvelope {
  /** Can decrypt and cannot be exported. */
  readonly dataKey: CryptoKey;
  readonly nonce: Bytes;
  readonly ciphertext: Bytes;
  readonly additionalData: Bytes;
}

/**
 * Reads an envelope and unwraps its data key.
 *
 * @throws CustodyError when a customer's key does not open it; anything else when the envelope is malformed, of another
 *   context, sealed for another key, or altered.
 */
export async function unwrapEnvelope(
  envelope: string,
  context: EnvelopeContext,
  keyring: Keyring,
): Promise<UnwrappedEnvelope> {
  const read = readEnvelope(envelope);
  const dataKeyBytes = await unwrapDataKey(read, context, keyring);
  try {
    const dataKey = await crypto.subtle.importKey("raw", dataKeyBytes, "AES-GCM", false, ["decrypt"]);
    return {
      dataKey,
      nonce: readBytes(read.nonce),
      ciphertext: readBytes(read.ct),
      additionalData: additionalData(context),
    };
  } finally {
    dataKeyBytes.fill(0);
  }
}

/**
 * Wraps the data key of an envelope for another target. What is sealed under the data key is not touched, and not read.
 * The new envelope is opened before it is given out: one that cannot be opened never replaces one that can.
 *
 * @throws as `unwrapEnvelope`, about the old envelope or the new one.
 */
export async function rewrapEnvelope(
  envelope: string,
  context: EnvelopeContext,
  keyring: Keyring,
  target: SealingTarget,
): Promise<string> {
  const { nonce, ct, ...former } = readEnvelope(envelope);
  const dataKeyBytes = await unwrapDataKey(former, context, keyring);
  try {
    const head = await wrapDataKey(target, context, dataKeyBytes);
    const proof = await unwrapDataKey(head, context, keyring);
    const isSame = equalBytes(proof, dataKeyBytes);
    proof.fill(0);
    if (!isSame) throw new CustodyError("wrong_key");
    return writeEnvelope({ ...head, nonce, ct });
  } finally {
    dataKeyBytes.fill(0);
  }
}

/**
 * Decrypts the vendor key.
 *
 * @throws when the envelope was altered.
 */
export async function openSecret(envelope: UnwrappedEnvelope): Promise<Secret> {
  const plaintext = await crypto.subtle.decrypt(
    { name: "AES-GCM", iv: envelope.nonce, additionalData: envelope.additionalData },
    envelope.dataKey,
    envelope.ciphertext,
  );
  const text = fromUtf8(new Uint8Array(plaintext));
  if (text === null) throw new TypeError("The sealed value is not text.");
  return new Secret(text);
}

/** Whether a customer's key is asked when this envelope is opened. */
export function needsCustomerKey(envelope: string): boolean {
  return envelope.startsWith('{"v":2,"provider":"aws-kms",');
}

/** For whom an envelope's data key is wrapped. @throws when it is malformed. */
export function describeEnvelope(envelope: string): {
  readonly provider: Envelope["provider"];
  /** Of the customer's key where it has one, else of the proxy's own pair. */
  readonly keyId: string;
} {
  const read = readEnvelope(envelope);
  return { provider: read.provider, keyId: read.provider === "local" ? read.kek : read.cmk };
}

/** How the text of an envelope begins, by the customer's key it is sealed for: none, or its ARN and its id in between. */
export interface EnvelopeStarts {
  readonly local: string;
  readonly customer: readonly [before: string, between: string, after: string];
}

/** Envelopes have one spelling, so how one begins alone tells whether it must be rewrapped: also to a database. */
export async function envelopeStarts(publicKey: string): Promise<EnvelopeStarts> {
  const kek = await localKeyId(publicKey);
  return {
    local: `{"v":2,"provider":"local","kek":"${kek}",`,
    customer: [`{"v":2,"provider":"aws-kms","arn":"`, `","cmk":"`, `","kek":"${kek}",`],
  };
}

/** How an envelope begins that is sealed for a target. */
export async function envelopeStart({ publicKey, customerKey }: SealingTarget): Promise<string> {
  const { local, customer } = await envelopeStarts(publicKey);
  if (customerKey === null) return local;
  const [before, between, after] = customer;
  return `${before}${customerKey.arn}${between}${await customerKeyId(customerKey.publicKey)}${after}`;
}

async function wrapDataKey(
  { publicKey, customerKey }: SealingTarget,
  context: EnvelopeContext,
  dataKey: Bytes,
): Promise<Head> {
  if (customerKey === null) {
    const {
      kekId: kek,
      encapsulated,
      ciphertext,
    } = await wrapKey(publicKey, additionalData(context), dataKey);
    return { v: 2, provider: "local", kek, enc: toBase64Url(encapsulated), key: toBase64Url(ciphertext) };
  }
  const { arn } = customerKey;
  const cmk = await customerKeyId(customerKey.publicKey);
  const bound = additionalData(context, { arn, cmk });
  const { kekId: kek, encapsulated, ciphertext } = await wrapKey(publicKey, bound, dataKey);
  const key = await wrapForCustomer(customerKey.publicKey, ciphertext);
  return { v: 2, provider: "aws-kms", arn, cmk, kek, enc: toBase64Url(encapsulated), key: toBase64Url(key) };
}

async function unwrapDataKey(head: Head, context: EnvelopeContext, keyring: Keyring): Promise<Bytes> {
  const pair = keyring.local.find(({ kekId }) => kekId === head.kek);
  if (pair === undefined) throw new RangeError("The envelope was sealed for another key.");
  const wrapped = { kekId: head.kek, encapsulated: readBytes(head.enc), ciphertext: readBytes(head.key) };
  if (head.provider === "local") return unwrapKey(pair, additionalData(context), wrapped);
  if (keyring.openForCustomer === null) throw new CustodyError("not_configured");
  const ciphertext = await keyring.openForCustomer(head.arn, wrapped.ciphertext);
  return unwrapKey(pair, additionalData(context, head), { ...wrapped, ciphertext });
}

function writeEnvelope(envelope: Envelope): string {
  return JSON.stringify(envelopeSchema.parse(envelope));
}

function readEnvelope(text: string): Envelope {
  const envelope = envelopeSchema.parse(JSON.parse(text));
  // One spelling per envelope: nothing can be hidden in white space, key order or repeated members.
  if (JSON.stringify(envelope) !== text) throw new TypeError("The envelope is not in canonical form.");
  return envelope;
}

function readBytes(text: string): Bytes {
  const bytes = fromBase64Url(text);
  if (bytes === null) throw new TypeError("The envelope holds malformed base64url.");
  return bytes;
}

/**
 * All that an envelope belongs to, as one text: what is bound into its ciphertexts, and what to remember it by. JSON, so that
 * no part can run into the next.
 */
export function contextText(context: EnvelopeContext, customer: CustomerLayer | null = null): string {
  const { organizationId, recordId, field, version } = context;
  return JSON.stringify([
    "relaykey",
    2,
    organizationId,
    recordId,
    field,
    version,
    context.field === "vendor_key" ? destinationText(context.destination) : null,
    customer === null ? null : ["aws-kms", customer.arn, customer.cmk],
  ]);
}

interface CustomerLayer {
  readonly arn: string;
  readonly cmk: string;
}

/**
 * OAEP as KMS does it has no label, so it is the inner wrapping that binds a data key to its record and destination, and to
 * the customer's key: without that key's layer it does not open.
 */
function additionalData(context: EnvelopeContext, customer: CustomerLayer | null = null): Bytes {
  return utf8(contextText(context, customer));
}
