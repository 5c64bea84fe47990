import { fromAnyBase64, toBase64 } from "@relaykey/core/bytes";
import type { Bytes } from "@relaykey/core/bytes";
import { parseKeyArn } from "@relaykey/core/custody/key-arn";
import { CustodyError } from "@relaykey/core/custody/problems";
import type { CustodyProblem } from "@relaykey/core/custody/problems";
import { signAwsRequest } from "./sigv4.ts";
import type { AwsCredentials } from "./sigv4.ts";

/** Where KMS is asked, and as whom. */
export interface KmsSettings {
  readonly credentials: AwsCredentials;
  /** Stands in for KMS: on this machine, in development. null: AWS, at the host that follows from a key's ARN. */
  readonly endpoint: string | null;
}

/** Until KMS has answered whole. */
export const KMS_DEADLINE_MS = 1_500;
/** An answer holds one wrapped data key. */
const MAX_ANSWER_BYTES = 16_384;

/**
 * What the errors of Decrypt mean here; the rest counts as "unreachable".
 *
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors
 * @see https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
 */
const PROBLEMS: Readonly<Record<string, CustodyProblem>> = {
  AccessDeniedException: "denied",
  DisabledException: "disabled",
  KMSInvalidStateException: "disabled",
  NotFoundException: "missing",
  InvalidArnException: "missing",
  IncorrectKeyException: "wrong_key",
  InvalidCiphertextException: "wrong_key",
  InvalidKeyUsageException: "wrong_key",
  ValidationException: "wrong_key",
  UnsupportedOperationException: "wrong_key",
  ThrottlingException: "throttled",
  LimitExceededException: "throttled",
  ExpiredTokenException: "credentials",
  IncompleteSignature: "credentials",
  IncompleteSignatureException: "credentials",
  InvalidClientTokenId: "credentials",
  InvalidSignatureException: "credentials",
  MissingAuthenticationToken: "credentials",
  MissingAuthenticationTokenException: "credentials",
  NotAuthorized: "denied",
  OptInRequired: "credentials",
  RequestExpired: "credentials",
  SignatureDoesNotMatch: "credentials",
  UnrecognizedClientException: "credentials",
};

/**
 * Asks AWS KMS to open what was wrapped for a key of its own (Decrypt, RSAES_OAEP_SHA_256).
 *
 * @throws CustodyError whatever goes wrong.
 */
export async function decryptWithKms(
  arn: string,
  wrapped: Bytes,
  { credentials, endpoint }: KmsSettings,
): Promise<Bytes> {
  const key = parseKeyArn(arn);
  if (key === null) throw new CustodyError("missing");
  const url = endpoint ?? `https://${key.host}`;
  const body = JSON.stringify({
    CiphertextBlob: toBase64(wrapped),
    EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
    KeyId: arn,
  });
  const request = {
    host: new URL(url).host,
    region: key.region,
    service: "kms",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "TrentService.Decrypt" },
    body,
  };
  try {
    const headers = await signAwsRequest(request, credentials, new Date());
    const signal = AbortSignal.timeout(KMS_DEADLINE_MS);
    const init = { method: "POST", headers, body, redirect: "manual", cache: "no-store", signal } as const;
    const answer = await fetch(`${url}/`, init);
    return readAnswer(arn, answer.status, await readText(answer));
  } catch (error) {
    throw error instanceof CustodyError ? error : new CustodyError("unreachable");
  }
}

function readAnswer(arn: string, status: number, text: string): Bytes {
  const { Plaintext: plaintext, KeyId: keyId, __type: type } = JSON.parse(text) as Record<string, unknown>;
  if (status !== 200) {
    // Some services put the shape's namespace before its name.
    const name = typeof type === "string" ? (type.split("#").at(-1) ?? "") : "";
    throw new CustodyError(PROBLEMS[name] ?? "unreachable");
  }
  const opened = typeof plaintext === "string" ? fromAnyBase64(plaintext) : null;
  if (opened === null || keyId !== arn) throw new CustodyError("unreachable");
  return opened;
}

async function readText(answer: Response): Promise<string> {
  const reader = (answer.body as ReadableStream<Uint8Array> | null)?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let size = 0; reader !== undefined;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MAX_ANSWER_BYTES) {
      await reader.cancel();
      break;
    }
    text += decoder.decode(value, { stream: true });
  }
  return text;
}
