/**
 * `npm run secrets`: makes what a deployment needs before its first start. Prints to standard output only; nothing is
 * written anywhere, so what is not stored by whoever runs it is gone.
 */
import { randomBytes } from "node:crypto";
import { deriveLocalKeys } from "@relaykey/core/envelope";

const HELP = `Usage: npm run --silent secrets

Makes a token key, a master key, a control key and a confirm key, and derives the sealing key from the master key.
  RELAYKEY_MASTER_KEY   set it to derive the sealing key of an existing master key instead
`;

const KEY_BYTES = 32;

if (process.argv.length > 2) {
  process.stdout.write(HELP);
} else {
  const given = process.env["RELAYKEY_MASTER_KEY"];
  const masterKey = given ?? newKey();
  try {
    const { publicKey } = await deriveLocalKeys(masterKey);
    const made = {
      ...(given === undefined
        ? {
            RELAYKEY_TOKEN_KEY: newKey(),
            RELAYKEY_MASTER_KEY: masterKey,
            RELAYKEY_CONTROL_KEY: newKey(),
            RELAYKEY_CONFIRM_KEY: newKey(),
          }
        : {}),
      RELAYKEY_SEALING_KEY: publicKey,
    };
    for (const [name, value] of Object.entries(made)) console.log(`${name}=${value}`);
  } catch {
    console.error("relaykey: RELAYKEY_MASTER_KEY must be 32 bytes in base64.");
    process.exitCode = 1;
  }
}

function newKey(): string {
  return randomBytes(KEY_BYTES).toString("base64");
}
