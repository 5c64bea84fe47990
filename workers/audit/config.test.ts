import { expect, test } from "vitest";
import { openSigner } from "@relaykey/core/audit-chain/keys";
import { ConfigurationError, configure } from "./config.ts";

const KEY = btoa("k".repeat(32));
const { publicKey } = await openSigner(KEY);

const WHOLE = {
  RELAYKEY_AUDIT_KEY: KEY,
  RELAYKEY_AUDIT_PUBLIC_KEYS: publicKey.text,
  DATABASE_URL: "postgres://user:password@database.example.com/relaykey",
  RELAYKEY_SQL_ENDPOINT: "",
  NOTICE_QUEUE: { send: () => Promise.reject(new Error("unused")) } as unknown as Queue,
};

test("a whole environment is accepted, with former keys of the chain", async () => {
  expect(await configure(WHOLE)).toHaveProperty("db");
  const former = await openSigner(btoa("f".repeat(32)));
  const keys = `${publicKey.text}, ${former.publicKey.text}`;
  const { chainKeys } = await configure({ ...WHOLE, RELAYKEY_AUDIT_PUBLIC_KEYS: keys });
  expect(chainKeys).toEqual([publicKey, former.publicKey]);
});

test("a key that nobody would know does not sign", async () => {
  const other = await openSigner(btoa("o".repeat(32)));
  await expect(configure({ ...WHOLE, RELAYKEY_AUDIT_PUBLIC_KEYS: other.publicKey.text })).rejects.toThrow(
    publicKey.text,
  );
});

test.each([
  ["DATABASE_URL", undefined],
  ["DATABASE_URL", "mysql://user:hunter2@host/db"],
  ["RELAYKEY_SQL_ENDPOINT", undefined],
  ["RELAYKEY_SQL_ENDPOINT", "hunter2"],
  ["RELAYKEY_AUDIT_KEY", undefined],
  ["RELAYKEY_AUDIT_KEY", "hunter2"],
  ["RELAYKEY_AUDIT_PUBLIC_KEYS", ""],
  ["RELAYKEY_AUDIT_PUBLIC_KEYS", "hunter2"],
])("%s = %s is named and not repeated", async (name, value) => {
  let message = "";
  try {
    await configure({ ...WHOLE, [name]: value });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    message = (error as Error).message;
  }
  expect(message).toContain(name);
  expect(message).not.toContain("hunter2");
});
