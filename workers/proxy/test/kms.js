/** KMS, as the tests have it: real RSA pairs, one for each ARN, and whatever failure is asked for. */
const pairs = new Map();
const failures = new Map();

const OAEP = { name: "RSA-OAEP", hash: "SHA-256" };

function pairOf(arn) {
  if (!pairs.has(arn)) {
    const algorithm = { ...OAEP, modulusLength: 2_048, publicExponent: new Uint8Array([1, 0, 1]) };
    pairs.set(arn, crypto.subtle.generateKey(algorithm, true, ["encrypt", "decrypt"]));
  }
  return pairs.get(arn);
}

/** What the tests ask of it: a public key, a failure from now on, or how often each key was asked for. */
export async function controlKms(url) {
  const arn = url.searchParams.get("arn");
  if (url.pathname === "/public-key") {
    const { publicKey } = await pairOf(arn);
    return new Response(await crypto.subtle.exportKey("spki", publicKey));
  }
  const before = failures.get(arn) ?? { asked: 0, type: null };
  if (url.pathname === "/fail") failures.set(arn, { ...before, type: url.searchParams.get("type") });
  return Response.json(before);
}

export async function answerKms(request) {
  const { KeyId: arn, CiphertextBlob: blob, EncryptionAlgorithm: algorithm } = await request.json();
  const state = failures.get(arn) ?? { asked: 0, type: null };
  failures.set(arn, { ...state, asked: state.asked + 1 });
  const target = request.headers.get("x-amz-target");
  const host = arn.split(":")[3];
  if (target !== "TrentService.Decrypt" || algorithm !== "RSAES_OAEP_SHA_256")
    return refuse("ValidationException");
  if (new URL(request.url).host !== `kms.${host}.amazonaws.com`) return refuse("NotFoundException");
  if (request.headers.get("authorization")?.startsWith("AWS4-HMAC-SHA256 Credential=EXAMPLE") !== true) {
    return refuse("MissingAuthenticationTokenException");
  }
  switch (state.type) {
    case null:
    case "":
      break;
    case "hang":
      await scheduler.wait(30_000);
      break;
    case "down":
      throw new Error("connection refused");
    case "nonsense":
      return new Response("<html>", { status: 200 });
    case "redirect":
      return new Response(null, { status: 307, headers: { Location: "https://elsewhere.example/" } });
    case "other-key":
      return Response.json({ KeyId: "arn:other", Plaintext: btoa("x".repeat(48)) });
    case "endless":
      return new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(4_096).fill(32)) }));
    default:
      return refuse(state.type);
  }
  const { privateKey } = await pairOf(arn);
  try {
    const wrapped = Uint8Array.from(atob(blob), (character) => character.charCodeAt(0));
    const opened = new Uint8Array(await crypto.subtle.decrypt(OAEP, privateKey, wrapped));
    return Response.json({
      KeyId: arn,
      Plaintext: btoa(String.fromCharCode(...opened)),
      EncryptionAlgorithm: algorithm,
    });
  } catch {
    return refuse("InvalidCiphertextException");
  }
}

function refuse(type) {
  const status = type === "KMSInternalException" || type === "KeyUnavailableException" ? 500 : 400;
  return Response.json({ __type: type, message: "no" }, { status });
}
