import { toHex, utf8 } from "@relaykey/core/bytes";
import type { Bytes } from "@relaykey/core/bytes";
import type { Secret } from "@relaykey/core/secret";

/** Of an AWS principal. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

/** The one shape of request that is signed here: POST / with a body and no query. */
export interface AwsRequest {
  readonly host: string;
  readonly region: string;
  readonly service: string;
  /** Further header fields that are signed: lower-case names, values without white space at their ends. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/**
 * Signs a request with AWS Signature Version 4.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @returns all header fields to send, except for `host`, which `fetch` writes itself.
 */
export async function signAwsRequest(
  request: AwsRequest,
  credentials: AwsCredentials,
  now: Date,
): Promise<Record<string, string>> {
  // 20150830T123600Z
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const date = time.slice(0, 8);
  const fields = Object.entries({ ...request.headers, host: request.host, "x-amz-date": time }).sort(
    ([one], [other]) => (one < other ? -1 : 1),
  );
  const signedHeaders = fields.map(([name]) => name).join(";");
  const canonical = [
    "POST",
    "/",
    "",
    ...fields.map(([name, value]) => `${name}:${value}`),
    "",
    signedHeaders,
    await sha256(request.body),
  ].join("\n");
  const scope = `${date}/${request.region}/${request.service}/aws4_request`;
  const toSign = [ALGORITHM, time, scope, await sha256(canonical)].join("\n");
  let key = utf8(`AWS4${credentials.secretAccessKey.reveal()}`);
  for (const part of scope.split("/")) key = await hmac(key, part);
  const signature = toHex(await hmac(key, toSign));
  return {
    ...request.headers,
    "x-amz-date": time,
    authorization: `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`,
  };
}

async function sha256(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))));
}

async function hmac(key: Bytes, text: string): Promise<Bytes> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, utf8(text)));
}
