import { expect, test } from "vitest";
import { ConfigurationError, configure } from "./config.ts";

const WHOLE = {
  DATABASE_URL: "postgres://user:password@database.example.com/relaykey",
  RELAYKEY_SQL_ENDPOINT: "",
  NOTICE_QUEUE: { send: () => Promise.reject(new Error("unused")) } as unknown as Queue,
};

test("a whole environment is accepted", () => {
  expect(configure(WHOLE)).toHaveProperty("db");
});

test.each([
  ["DATABASE_URL", undefined],
  ["DATABASE_URL", "mysql://user:hunter2@host/db"],
  ["RELAYKEY_SQL_ENDPOINT", undefined],
  ["RELAYKEY_SQL_ENDPOINT", "hunter2"],
])("%s = %s is named and not repeated", (name, value) => {
  let message = "";
  try {
    configure({ ...WHOLE, [name]: value });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    message = (error as Error).message;
  }
  expect(message).toContain(name);
  expect(message).not.toContain("hunter2");
});
