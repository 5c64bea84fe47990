import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { DEFAULT_CONFIRMATION } from "@relaykey/core/confirmation";
import { encodeSnapshot } from "@relaykey/core/snapshot";
import { policyCacheKey } from "../directory.ts";
import { holderStub } from "../holders.ts";
import { CAFE, PERSON, STREAM, URL, call, confirmations, mailAbout, personsKey } from "./person.ts";
import { CALLER_IP, TestProxy, bearer, change, keyControl, makeKey } from "./world.ts";

test("the first network is trusted as it is used, and is listed with its place", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  expect(await call(proxy, key)).toBe(200);
  const { trusted, pending } = await keyControl().networks(key.snapshot.holderLocator);
  expect(trusted).toMatchObject([{ network: CALLER_IP, source: "first_use" }]);
  expect(pending).toEqual([]);
});

test("a new network answers 423 with what to do; one confirmation later the same call works", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  expect(await call(proxy, key)).toBe(200);
  const refused = await proxy.call(`${URL}?a=1`, { ...bearer(key.token) }, CAFE);
  expect(refused.status).toBe(423);
  expect(refused.headers.get("retry-after")).toBe("60");
  const body: Record<string, unknown> = await refused.json();
  expect(body).toMatchObject({
    code: "ip_unconfirmed",
    masked_email: "a•••@example.com",
    confirmation: { mail: "sent", address: CAFE, network: CAFE },
  });
  const { pairing_code: code } = body["confirmation"] as { pairing_code: string };
  expect(code).toMatch(/^\d{3}$/);
  for (const text of [body["detail"], body["message"], (body["error"] as { message: string }).message]) {
    expect(text).toContain("a•••@example.com");
    expect(text).toContain(code);
  }
  expect(JSON.stringify(body)).not.toContain("ada@example.com");

  const { mail, locator } = await mailAbout(proxy, key, CAFE);
  expect(mail).toMatchObject({
    to: "ada@example.com",
    view: { state: "pending", keyName: key.snapshot.name, numberMatching: false, pending: { mailed: true } },
  });
  expect(mail.view.pending.request).toMatchObject({ method: "GET", path: "/v1/things", address: CAFE });
  expect(await confirmations().view(locator, mail.token)).toMatchObject({ state: "pending" });
  expect(await confirmations().confirm(locator, mail.token, null)).toEqual({ state: "confirmed_now" });
  expect(await call(proxy, key, CAFE)).toBe(200);
  expect(await confirmations().confirm(locator, mail.token, null)).toEqual({ state: "confirmed" });
  const { trusted } = await keyControl().networks(locator);
  expect(trusted.find(({ network }) => network === CAFE)).toMatchObject({ source: "confirmed" });
});

test("a repeated delivery of a mail carries the same token; the object keeps its hash only", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  await call(proxy, key);
  const { mail, locator, entry } = await mailAbout(proxy, key, CAFE);
  expect(await confirmations().mail(locator, entry?.id ?? "")).toEqual(mail);
  expect(mail.token).toMatch(/^[A-Za-z0-9_-]{43}$/);
});

test('"this wasn\'t me" freezes the key everywhere: streams are cut, and no snapshot thaws it unknowingly', async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  await call(proxy, key);
  const stream = await proxy.call(STREAM, bearer(key.token));
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  const { mail, locator } = await mailAbout(proxy, key, CAFE);
  expect(await confirmations().reject(locator, mail.token)).toEqual({ state: "frozen_now" });
  expect(await call(proxy, key)).toBe(403);
  await expect(
    (async () => {
      while (!(await reader.read()).done);
    })(),
  ).rejects.toThrow();
  expect(await env.POLICY.get(policyCacheKey(key.snapshot.tokenHash))).toContain('"state":"frozen"');
  expect(await confirmations().reject(locator, mail.token)).toEqual({ state: "rejected" });

  const { holderFreezes, version } = (await keyControl().inspect(key.snapshot)) ?? {};
  expect([holderFreezes, version]).toEqual([1, 1]);
  const unaware = await change(key, { name: "renamed" });
  expect(await call(proxy, key)).toBe(403);
  const thawed = await change(unaware, { freezesLifted: 1 });
  expect(await call(proxy, key)).toBe(200);
  // Nor does an older one bring it back.
  await keyControl().apply(encodeSnapshot(unaware.snapshot));
  expect(await call(proxy, thawed)).toBe(200);
});

test('"this wasn\'t me" freezes what an admin has left: the second key that was used from there', async () => {
  const proxy = await TestProxy.start();
  const first = await personsKey();
  const second = await makeKey({ ip: { mode: "confirm" }, holder: PERSON }, first.snapshot.holderLocator);
  await keyControl().apply(encodeSnapshot(second.snapshot));
  expect(await call(proxy, first)).toBe(200);
  const { mail, locator } = await mailAbout(proxy, first, CAFE);
  expect(await call(proxy, second, CAFE)).toBe(423);
  await change(first, { state: "frozen" });
  expect(await confirmations().view(locator, mail.token)).toMatchObject({
    state: "pending",
    keyDisplay: second.snapshot.display,
  });
  expect(await confirmations().reject(locator, mail.token)).toEqual({ state: "frozen_now" });
  expect(await call(proxy, second)).toBe(403);
  expect((await keyControl().inspect(first.snapshot))?.holderFreezes).toBe(0);
});

describe("removing a trusted network", () => {
  test("no request starts from it when that returns, and its streams are cut", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey();
    await call(proxy, key);
    const stream = await proxy.call(STREAM, bearer(key.token));
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    expect(await keyControl().removeNetwork(key.snapshot.holderLocator, CALLER_IP)).toBe(true);
    // Nor is it the first use again. The isolate believed it to be trusted, and told nobody who calls; now it does.
    const refused = await proxy.call(URL, bearer(key.token));
    expect(refused.status).toBe(423);
    expect(await refused.json()).toMatchObject({
      confirmation: { mail: "sent", pairing_code: expect.stringMatching(/^\d{3}$/) as string },
    });
    await expect(
      (async () => {
        while (!(await reader.read()).done);
      })(),
    ).rejects.toThrow();
    const cut = (await proxy.settled()).find(({ outcome }) => outcome === "cut");
    expect(cut?.reason).toBe("ip_unconfirmed");
    expect(await keyControl().removeNetwork(key.snapshot.holderLocator, CALLER_IP)).toBe(false);
  });
});

test("an admin approves a block: what waits inside is settled, and calls from it work", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  await call(proxy, key);
  const { mail, locator } = await mailAbout(proxy, key, CAFE);
  await keyControl().approveNetwork(locator, "198.51.100.0/24");
  expect(await call(proxy, key, CAFE)).toBe(200);
  expect(await call(proxy, key, "198.51.100.77")).toBe(200);
  expect(await confirmations().view(locator, mail.token)).toEqual({ state: "confirmed" });
  await expect(keyControl().approveNetwork(locator, "198.51.100.1/24")).rejects.toThrow();
  await expect(keyControl().approveNetwork(locator, "2a06:98c0:3600::103")).rejects.toThrow();
});

test("concurrent first calls from two networks trust exactly one", async () => {
  const [one, other] = [await TestProxy.start(), await TestProxy.start()];
  const key = await personsKey();
  const statuses = await Promise.all([call(one, key), call(other, key, CAFE)]);
  expect(statuses.sort()).toEqual([200, 423]);
});

test("without trust on first use the first network waits as well", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey({ confirmation: { ...DEFAULT_CONFIRMATION, trustOnFirstUse: false } });
  const { mail, locator } = await mailAbout(proxy, key, CALLER_IP);
  expect(await confirmations().confirm(locator, mail.token, null)).toEqual({ state: "confirmed_now" });
  expect(await call(proxy, key)).toBe(200);
});

describe("numbers", () => {
  test("two networks at once have to be told apart by theirs; three wrong ones lock an entry", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey();
    await call(proxy, key);
    const { mail, locator } = await mailAbout(proxy, key, CAFE);
    expect(await call(proxy, key, "192.0.2.1")).toBe(423);
    expect(await confirmations().view(locator, mail.token)).toMatchObject({ numberMatching: true });
    // Nothing was guessed.
    expect(await confirmations().confirm(locator, mail.token, null)).toEqual({ state: "mismatch" });
    const states = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      states.push((await confirmations().confirm(locator, mail.token, "none")).state);
    }
    expect(states).toEqual(["mismatch", "mismatch", "locked"]);
    const response = await proxy.call(URL, bearer(key.token), CAFE);
    expect(response.status).toBe(423);
  });

  test("where the organization wants it, the number from the refusal confirms", async () => {
    const proxy = await TestProxy.start();
    const key = await personsKey({ confirmation: { ...DEFAULT_CONFIRMATION, numberMatching: true } });
    await call(proxy, key);
    const refused = await proxy.call(URL, bearer(key.token), CAFE);
    const { confirmation } = await refused.json<{ confirmation: { pairing_code: string } }>();
    const { mail, locator } = await mailAbout(proxy, key, CAFE);
    const number = confirmation.pairing_code;
    expect(await confirmations().confirm(locator, mail.token, number)).toEqual({ state: "confirmed_now" });
  });
});

test("a holder without mail is sent to the administrator", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey({ holder: { ...PERSON, mailable: false } });
  await call(proxy, key);
  const refused = await proxy.call(URL, bearer(key.token), CAFE);
  const body: Record<string, unknown> = await refused.json();
  expect(body).toMatchObject({ masked_email: null, confirmation: { mail: "unsendable" } });
  expect(body["detail"]).toContain("administrator");
});

test("links that were never made lead nowhere, and name no object", async () => {
  const locator = "0".repeat(16);
  for (const token of ["", "x".repeat(43), "../", "x".repeat(10_000)]) {
    expect(await confirmations().view(locator, token)).toEqual({ state: "unknown" });
    expect(await confirmations().reject(locator, token)).toEqual({ state: "unknown" });
  }
  expect(await confirmations().view("not a locator", "x".repeat(43))).toEqual({ state: "unknown" });
  expect(await confirmations().mail("not a locator", "x")).toBeNull();
});

test("an IPv6 client is its prefix, as the key counts", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey({ confirmation: { ...DEFAULT_CONFIRMATION, v6Prefix: 48 } });
  expect(await call(proxy, key, "2001:db8:1:2::3")).toBe(200);
  expect(await call(proxy, key, "2001:db8:1:9::3")).toBe(200);
  expect(await call(proxy, key, "2001:db8:2:2::3")).toBe(423);
  // Trust in one client is none in a crowd, whichever way the prefix is changed.
  const narrower = await change(key, { confirmation: { ...DEFAULT_CONFIRMATION, v6Prefix: 64 } });
  expect(await call(proxy, narrower, "2001:db8:1:2::3")).toBe(423);
  await change(narrower, { confirmation: { ...DEFAULT_CONFIRMATION, v6Prefix: 44 } });
  expect(await call(proxy, narrower, "2001:db8:1:2::3")).toBe(423);
});

test("an IPv4-mapped or NAT64 address is the IPv4 address it carries", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  expect(await call(proxy, key, CAFE)).toBe(200);
  expect(await call(proxy, key, `::ffff:${CAFE}`)).toBe(200);
  expect(await call(proxy, key, `64:ff9b::${CAFE}`)).toBe(200);
});

test("the edge that all Workers share is never trusted, not even as the first", async () => {
  const proxy = await TestProxy.start();
  const key = await personsKey();
  const response = await proxy.call(URL, bearer(key.token), "2a06:98c0:3600::103");
  expect(await response.json()).toMatchObject({ code: "ip_unconfirmable" });
  const { trusted, pending } = await keyControl().networks(key.snapshot.holderLocator);
  expect([trusted, pending]).toEqual([[], []]);
  expect(await holderStub(env, key.snapshot.holderLocator).snapshot(key.snapshot.keyId)).not.toBeNull();
});

test.each([
  ["slack", 200, (text: string) => (JSON.parse(text) as { ok: boolean }).ok],
  ["octokit", 403, () => false],
  ["aws", 423, () => false],
] as const)("in the dialect of %s the refusal says what to do as well", async (dialect, status, isOk) => {
  const proxy = await TestProxy.start();
  const key = await personsKey({ integration: { dialect } });
  expect(await call(proxy, key)).toBe(200);
  const refused = await proxy.call(URL, bearer(key.token), CAFE);
  const text = await refused.text();
  expect(refused.status).toBe(status);
  expect(isOk(text)).toBe(false);
  expect(text).toContain("A mail is on its way to a•••@example.com");
  expect(text).toMatch(/its number is \d{3}/);
});
