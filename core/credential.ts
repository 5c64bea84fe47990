import * as z from "zod/mini";
import { toBase64Url, utf8 } from "./bytes.ts";
import type { Secret } from "./secret.ts";

/** Where the vendor expects its key. In templates `{secret}` stands for the vendor key. */
export type CredentialPlacement =
  | { readonly kind: "bearer" }
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "header"; readonly name: string; readonly template: string }
  | { readonly kind: "query"; readonly name: string };

const MARK = "{secret}";
const template = z.string().check(z.maxLength(256), z.regex(/^[\x20-\x7e]*$/));

/** Strict: an unknown member is an error. At least one template must hold `{secret}`. */
export const credentialSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("bearer") }),
  z
    .strictObject({ kind: z.literal("basic"), username: template, password: template })
    .check(
      z.refine((value) => (value.username + value.password).includes(MARK), "one part must hold {secret}"),
    ),
  z.strictObject({
    kind: z.literal("header"),
    // A field name (RFC 9110 §5.1), lower case, that is not the connection's own business.
    name: z.string().check(
      z.regex(/^[a-z][a-z0-9_-]{0,63}$/),
      z.refine((name) => !RESERVED.has(name), "this header cannot carry a credential"),
    ),
    template: template.check(z.includes(MARK)),
  }),
  z.strictObject({ kind: z.literal("query"), name: z.string().check(z.regex(/^[A-Za-z0-9_.-]{1,64}$/)) }),
]);

const RESERVED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "content-type",
  "cookie",
  "host",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** A placed credential: one header field or one query parameter, ready to be sent. */
export interface PlacedCredential {
  readonly header?: readonly [name: string, value: string];
  /** Name and percent-encoded value. */
  readonly query?: readonly [name: string, value: string];
}

/** Puts the vendor key where the vendor expects it. The result holds plaintext: use it at once and drop it. */
export function placeCredential(placement: CredentialPlacement, secret: Secret): PlacedCredential {
  const value = secret.reveal();
  switch (placement.kind) {
    case "bearer":
      return { header: ["authorization", `Bearer ${value}`] };
    case "basic":
      return { header: ["authorization", `Basic ${base64(userInfo(placement, value))}`] };
    case "header":
      return { header: [placement.name, placement.template.replaceAll(MARK, () => value)] };
    case "query":
      return { query: [placement.name, encodeQuery(value)] };
  }
}

/**
 * The texts that are secret in a placed credential: what to look for in answers that repeat it.
 *
 * @returns plaintext, like `placeCredential`.
 */
export function secretTexts(placement: CredentialPlacement, secret: Secret): string[] {
  const value = secret.reveal();
  if (placement.kind !== "basic") return [value];
  const pair = userInfo(placement, value);
  // The pair as it is encoded, and its secret half alone: a stored "user:password" is both.
  const password = pair.slice(pair.indexOf(":") + 1);
  return [...new Set([value, pair, ...(value.includes(password) ? [password] : [])])];
}

/** A secret that is itself "user:password" stands for the whole pair when the user name is `{secret}`. */
function userInfo(
  placement: { readonly username: string; readonly password: string },
  value: string,
): string {
  if (placement.username === MARK && value.includes(":")) return value;
  const fill = (text: string): string => text.replaceAll(MARK, () => value);
  return `${fill(placement.username)}:${fill(placement.password)}`;
}

/** Percent-encodes as `fetch` would leave it: encodeURIComponent, and the apostrophe (WHATWG URL §4.4). */
function encodeQuery(value: string): string {
  return encodeURIComponent(value).replaceAll("'", "%27");
}

/** Padded standard base64 (RFC 7617 §2). */
function base64(text: string): string {
  const unpadded = toBase64Url(utf8(text)).replaceAll("-", "+").replaceAll("_", "/");
  return unpadded.padEnd(Math.ceil(unpadded.length / 4) * 4, "=");
}
