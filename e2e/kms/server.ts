import {
  constants,
  createHash,
  createHmac,
  generateKeyPairSync,
  privateDecrypt,
  randomBytes,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { SignatureV4 } from "@smithy/signature-v4";

/** A server that speaks the part of AWS KMS that customer-managed keys need: JSON 1.1 over POST, signed with SigV4. */
export interface KmsServer {
  readonly url: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** For the proxy. */
  readonly settings: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const REGION = "eu-central-1";
const ACCOUNT = "111122223333";

interface Key {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  enabled: boolean;
}

/** One of the errors that KMS documents. */
class KmsError extends Error {
  override readonly name: string;

  constructor(name: string) {
    super("no");
    this.name = name;
  }
}

export async function startKms(): Promise<KmsServer> {
  const credentials = {
    accessKeyId: `EXAMPLE${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString("base64"),
  };
  const keys = new Map<string, Key>();
  const server = createServer((request, response) => {
    void read(request).then(async (body) => {
      let status = 200;
      let answer: object;
      try {
        await checkSignature(request, body, credentials);
        answer = perform(
          keys,
          String(request.headers["x-amz-target"]),
          JSON.parse(body) as Record<string, string>,
        );
      } catch (error) {
        status = 400;
        answer = { __type: error instanceof KmsError ? error.name : "ValidationException", message: "no" };
      }
      response.writeHead(status, { "Content-Type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url,
    credentials,
    settings: {
      RELAYKEY_KMS_ENDPOINT: url,
      RELAYKEY_AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      RELAYKEY_AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function perform(keys: Map<string, Key>, target: string, input: Record<string, string>): object {
  if (target === "TrentService.CreateKey") {
    const arn = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${crypto.randomUUID()}`;
    keys.set(arn, { ...generateKeyPairSync("rsa", { modulusLength: 2_048 }), enabled: true });
    return { KeyMetadata: { KeyId: arn.split("/")[1], Arn: arn } };
  }
  const arn = input["KeyId"] ?? "";
  const key = keys.get(arn);
  if (key === undefined) throw new KmsError("NotFoundException");
  switch (target) {
    case "TrentService.DisableKey":
    case "TrentService.EnableKey":
      key.enabled = target.endsWith("EnableKey");
      return {};
    case "TrentService.GetPublicKey": {
      const spki = key.publicKey.export({ type: "spki", format: "der" }).toString("base64");
      return { KeyId: arn, PublicKey: spki, KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" };
    }
    case "TrentService.Decrypt":
      if (!key.enabled) throw new KmsError("DisabledException");
      if (input["EncryptionAlgorithm"] !== "RSAES_OAEP_SHA_256")
        throw new KmsError("InvalidKeyUsageException");
      return {
        KeyId: arn,
        Plaintext: decrypt(key.privateKey, input["CiphertextBlob"] ?? ""),
        EncryptionAlgorithm: "RSAES_OAEP_SHA_256",
      };
    default:
      throw new KmsError("UnknownOperationException");
  }
}

function decrypt(key: KeyObject, blob: string): string {
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    return privateDecrypt({ key, padding, oaepHash: "sha256" }, Buffer.from(blob, "base64")).toString(
      "base64",
    );
  } catch {
    throw new KmsError("InvalidCiphertextException");
  }
}

/** Signs what arrived with AWS's own implementation: the signature must be the one that came. */
async function checkSignature(
  request: IncomingMessage,
  body: string,
  credentials: KmsServer["credentials"],
): Promise<void> {
  const [, names = ""] = /SignedHeaders=([^,]+),/.exec(request.headers.authorization ?? "") ?? [];
  const time = String(request.headers["x-amz-date"]);
  const signer = new SignatureV4({
    service: "kms",
    region: REGION,
    credentials,
    sha256: NodeSha256,
    applyChecksum: false,
  });
  const headers = Object.fromEntries(names.split(";").map((name) => [name, String(request.headers[name])]));
  const signed = await signer.sign(
    { method: "POST", protocol: "http:", hostname: "127.0.0.1", path: "/", query: {}, headers, body },
    { signingDate: new Date(time.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5")) },
  );
  if (signed.headers["authorization"] !== request.headers.authorization) {
    throw new KmsError("InvalidSignatureException");
  }
}

/** What hashes have in common, keyed or not. */
interface Digest {
  update(data: string | Uint8Array): unknown;
  digest(): Buffer;
}

/** SHA-256 as the signer wants it. */
class NodeSha256 {
  #hash: Digest;
  readonly #fresh: () => Digest;

  constructor(secret?: unknown) {
    this.#fresh = () =>
      secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string | Uint8Array);
    this.#hash = this.#fresh();
  }

  update(data: unknown): void {
    this.#hash.update(data as string | Uint8Array);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#fresh();
  }
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
