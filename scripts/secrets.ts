/**
 * `npm run secrets`: makes what a deployment needs before its first start. Prints to standard output only; nothing is
 * written anywhere, so what is not stored by whoever runs it is gone.
 */
import { randomBytes } from "node:crypto";
import { openSigner } from "@relaykey/core/audit-chain/keys";
import { deriveLocalKeys } from "@relaykey/core/envelope";

const HELP = `Usage: npm run --silent secrets

Makes a token key, a master key, a control key, a confirm key and an audit key, and derives the sealing key from the master
key and the public audit key from the audit key.
  RELAYKEY_MASTER_KEY   set it to derive the sealing key of an existing master key instead
  RELAYKEY_AUDIT_KEY    set it to derive the public half of an existing audit key instead
`;

const KEY_BYTES = 32;

if (process.argv.length > 2) {
  process.stdout.write(HELP);
} else {
  const { RELAYKEY_MASTER_KEY: givenMaster, RELAYKEY_AUDIT_KEY: givenAudit } = process.env;
  const made =
    givenMaster === undefined && givenAudit === undefined
      ? await makeAll()
      : {
          ...(givenMaster === undefined ? {} : { RELAYKEY_SEALING_KEY: await sealingKey(givenMaster) }),
          ...(givenAudit === undefined
            ? {}
            : { RELAYKEY_AUDIT_PUBLIC_KEYS: await publicAuditKey(givenAudit) }),
        };
  const wrong = Object.entries(made).filter(([, value]) => value === null);
  for (const [name] of wrong) {
    console.error(
      `relaykey: ${name} cannot be derived: the key it is derived from must be 32 bytes in base64.`,
    );
    process.exitCode = 1;
  }
  if (wrong.length === 0)
    for (const [name, value] of Object.entries(made)) console.log(`${name}=${value ?? ""}`);
}

async function makeAll(): Promise<Record<string, string | null>> {
  const [masterKey, auditKey] = [newKey(), newKey()];
  return {
    RELAYKEY_TOKEN_KEY: newKey(),
    RELAYKEY_MASTER_KEY: masterKey,
    RELAYKEY_CONTROL_KEY: newKey(),
    RELAYKEY_CONFIRM_KEY: newKey(),
    RELAYKEY_AUDIT_KEY: auditKey,
    RELAYKEY_SEALING_KEY: await sealingKey(masterKey),
    RELAYKEY_AUDIT_PUBLIC_KEYS: await publicAuditKey(auditKey),
  };
}

function sealingKey(masterKey: string): Promise<string | null> {
  return deriveLocalKeys(masterKey).then(
    ({ publicKey }) => publicKey,
    () => null,
  );
}

function publicAuditKey(auditKey: string): Promise<string | null> {
  return openSigner(auditKey).then(
    ({ publicKey }) => publicKey.text,
    () => null,
  );
}

function newKey(): string {
  return randomBytes(KEY_BYTES).toString("base64");
}
