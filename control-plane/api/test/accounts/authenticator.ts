import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";
import { concatBytes, fromBase64Url, fromHex, toBase64Url, utf8 } from "@relaykey/core/bytes";
import type { Bytes } from "@relaykey/core/bytes";

/** What an authenticator, or the browser around it, may say otherwise than it should. */
export interface Lies {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  /** Whether somebody proved to be its owner, and whether somebody was there. */
  readonly userVerified?: boolean;
  readonly userPresent?: boolean;
  readonly counter?: number;
  readonly signature?: Uint8Array;
}

const FLAGS = { userPresent: 0x01, userVerified: 0x04, attested: 0x40 } as const;

/** A passkey in software (WebAuthn level 2, ES256, no attestation). */
export class Authenticator {
  readonly origin: string;
  readonly id = randomBytes(32);
  readonly #key: KeyObject;
  readonly #publicKey: Bytes;
  counter = 0;

  /** @param origin where the browser is. */
  constructor(origin: string) {
    this.origin = origin;
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#key = privateKey;
    const { x = "", y = "" } = publicKey.export({ format: "jwk" });
    // COSE_Key (RFC 9053): kty EC2, alg ES256, crv P-256, x, y.
    this.#publicKey = concatBytes(
      Uint8Array.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20),
      fromBase64Url(x) ?? new Uint8Array(),
      Uint8Array.of(0x22, 0x58, 0x20),
      fromBase64Url(y) ?? new Uint8Array(),
    );
  }

  enroll(options: PublicKeyCredentialCreationOptionsJSON, lies: Lies = {}): RegistrationResponseJSON {
    const authData = concatBytes(
      this.#head(options.rp.id ?? "", FLAGS.attested, lies),
      new Uint8Array(16),
      Uint8Array.of(0, this.id.length),
      this.id,
      this.#publicKey,
    );
    // CBOR: {"fmt": "none", "attStmt": {}, "authData": bytes}
    const attestationObject = concatBytes(
      fromHex("a363666d74646e6f6e656761747453746d74a068617574684461746159") ?? new Uint8Array(),
      Uint8Array.of(authData.length >> 8, authData.length & 255),
      authData,
    );
    return {
      ...this.#named(),
      response: {
        clientDataJSON: toBase64Url(this.#clientData("webauthn.create", options.challenge, lies)),
        attestationObject: toBase64Url(attestationObject),
        transports: ["internal"],
      },
    };
  }

  show(options: PublicKeyCredentialRequestOptionsJSON, lies: Lies = {}): AuthenticationResponseJSON {
    if (lies.counter === undefined) this.counter += 1;
    const authData = this.#head(options.rpId ?? "", 0, lies);
    const clientData = this.#clientData("webauthn.get", options.challenge, lies);
    const signed = concatBytes(authData, createHash("sha256").update(clientData).digest());
    return {
      ...this.#named(),
      response: {
        clientDataJSON: toBase64Url(clientData),
        authenticatorData: toBase64Url(authData),
        signature: toBase64Url(lies.signature ?? sign("sha256", signed, this.#key)),
      },
    };
  }

  #named() {
    const id = toBase64Url(this.id);
    return { id, rawId: id, type: "public-key" as const, clientExtensionResults: {} };
  }

  #head(rpId: string, more: number, lies: Lies): Bytes {
    const { userPresent = true, userVerified = true, counter = this.counter } = lies;
    const flags = more | (userPresent ? FLAGS.userPresent : 0) | (userVerified ? FLAGS.userVerified : 0);
    const signCount = new Uint8Array(4);
    new DataView(signCount.buffer).setUint32(0, counter);
    const rpIdHash = createHash("sha256").update(lies.rpId ?? rpId);
    return concatBytes(rpIdHash.digest(), Uint8Array.of(flags), signCount);
  }

  #clientData(type: string, challenge: string, lies: Lies): Bytes {
    const { origin = this.origin } = lies;
    const data = {
      type: lies.type ?? type,
      challenge: lies.challenge ?? challenge,
      origin,
      crossOrigin: false,
    };
    return utf8(JSON.stringify(data));
  }
}
