import { concatBytes, equalBytes, fromBase64Url, fromUtf8, toBase64Url, utf8 } from "@relaykey/core/bytes";
import { isId } from "@relaykey/core/ids";
import * as queries from "@relaykey/db/queries/form-drafts";
import type { ServiceDependencies } from "../dependencies.ts";
import { hashOf, newToken } from "./secrets.ts";

/** Long enough for a mail to come, short enough for a browser that is left alone. */
export const DRAFT_MINUTES = 60;
const MAX_DRAFT_CHARS = 16_384;
const NONCE_BYTES = 12;

/** Who a form was shown to, and of which organization. */
export interface FormOwner {
  readonly userId: string;
  readonly organizationId: string;
}

/** What was typed into a form: its page, and its fields. */
export interface FormDraft {
  readonly path: string;
  readonly values: Readonly<Record<string, string>>;
}

/**
 * Names the owner of a form in a field of its own, so that the form can say whose it is when it comes back without a session.
 * Nobody can put words into another person's form: the signature takes the control plane's key.
 */
export async function ownerMark(deps: ServiceDependencies, owner: FormOwner): Promise<string> {
  const { userId, organizationId } = owner;
  return `${userId}.${organizationId}.${toBase64Url(await signatureOf(deps, owner))}`;
}

/** @returns null for everything that `ownerMark` has not made. */
export async function readOwnerMark(deps: ServiceDependencies, mark: string): Promise<FormOwner | null> {
  const [userId = "", organizationId = "", signature = ""] = mark.split(".");
  if (!isId(userId) || !isId(organizationId)) return null;
  const owner = { userId, organizationId };
  const expected = await signatureOf(deps, owner);
  return equalBytes(fromBase64Url(signature) ?? new Uint8Array(), expected) ? owner : null;
}

async function signatureOf(
  { controlKey }: ServiceDependencies,
  { userId, organizationId }: FormOwner,
): Promise<Uint8Array> {
  const text = utf8(`owner of a form\0${userId}\0${organizationId}`);
  return new Uint8Array(await crypto.subtle.sign("HMAC", controlKey, text));
}

/**
 * Keeps what somebody typed until they have signed in. It takes the place of what was kept for them before.
 *
 * @param draft without anything secret.
 * @returns the secret for the browser's cookie, which alone opens it; null when it is too long to be kept.
 */
export async function keepDraft(
  deps: ServiceDependencies,
  owner: FormOwner,
  draft: FormDraft,
): Promise<string | null> {
  const text = JSON.stringify(draft.values);
  if (text.length > MAX_DRAFT_CHARS) return null;
  const token = newToken();
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(
    algorithm(nonce, owner, draft.path),
    await keyOf(token),
    utf8(text),
  );
  const now = deps.now();
  await queries.keepFormDraft(deps.db, {
    ...owner,
    tokenHash: await hashOf(token),
    sealed: toBase64Url(concatBytes(nonce, new Uint8Array(sealed))),
    expiresAt: new Date(now + DRAFT_MINUTES * 60_000),
    createdAt: new Date(now),
  });
  return token;
}

/** What was kept for a person, in this browser, for this page; null for everybody and everything else. */
export async function findDraft(
  deps: ServiceDependencies,
  owner: FormOwner,
  token: string,
  path: string,
): Promise<FormDraft["values"] | null> {
  const sealed = await queries.findFormDraft(deps.db, owner, await hashOf(token), new Date(deps.now()));
  const bytes = sealed === null ? null : fromBase64Url(sealed);
  if (bytes === null) return null;
  const nonce = bytes.slice(0, NONCE_BYTES);
  try {
    const opened = await crypto.subtle.decrypt(
      algorithm(nonce, owner, path),
      await keyOf(token),
      bytes.slice(NONCE_BYTES),
    );
    return JSON.parse(fromUtf8(new Uint8Array(opened)) ?? "") as FormDraft["values"];
  } catch {
    // It is of another page: that one may still ask for it.
    return null;
  }
}

/** Forgets what a browser's cookie opens. */
export async function dropDraft(deps: ServiceDependencies, token: string): Promise<void> {
  await queries.deleteFormDraft(deps.db, await hashOf(token));
}

/** AES-256-GCM, bound to the person, the organization and the page. */
function algorithm(iv: Uint8Array<ArrayBuffer>, { userId, organizationId }: FormOwner, path: string) {
  return { name: "AES-GCM", iv, additionalData: utf8(`${userId}\n${organizationId}\n${path}`) };
}

/** The key that HKDF (RFC 5869) makes of the cookie; the database has only the cookie's hash. */
async function keyOf(token: string): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey("raw", utf8(token), "HKDF", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8("relaykey form draft v1") },
    secret,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
