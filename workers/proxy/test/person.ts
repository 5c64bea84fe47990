import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import { Confirmations } from "../confirmations.ts";
import { CALLER_IP, appliedKey, bearer, keyControl } from "./world.ts";
import type { KeyChanges, TestKey, TestProxy } from "./world.ts";

export const URL = "https://proxy.example.com/vendor/v1/things";
export const STREAM = "https://proxy.example.com/vendor/v1/stream";
/** A network that the person has not used before. */
export const CAFE = "198.51.100.9";
export const PERSON = {
  kind: "person",
  name: "Ada",
  email: "ada@example.com",
  mailable: true,
  limits: { rate: null, uses: null, concurrency: null, maxBodyBytes: null },
} as const;

/** A key that a person holds: it asks about each new network. */
export function personsKey(changes: KeyChanges = {}): Promise<TestKey> {
  return appliedKey({ ip: { mode: "confirm" }, holder: PERSON, ...changes });
}

/** What the confirm Worker sees of the proxy. */
export function confirmations(): Confirmations {
  return new Confirmations(createExecutionContext(), env);
}

/** Calls, and gives the status. */
export async function call(proxy: TestProxy, key: TestKey, ip = CALLER_IP): Promise<number> {
  const response = await proxy.call(URL, bearer(key.token), ip);
  await response.text();
  return response.status;
}

/** Calls from a new network, and gives the mail about it. */
export async function mailAbout(proxy: TestProxy, key: TestKey, ip: string) {
  expect(await call(proxy, key, ip)).toBe(423);
  const { holderLocator } = key.snapshot;
  const { pending } = await keyControl().networks(holderLocator);
  const entry = pending.find(({ network }) => network === ip);
  const mail = await confirmations().mail(holderLocator, entry?.id ?? "");
  if (mail === null) throw new Error("There is no mail.");
  return { mail, entry, locator: holderLocator };
}
