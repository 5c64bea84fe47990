import { expect, test } from "vitest";
import { REDACTED } from "@relaykey/core/scrub/scrubber";
import { TestProxy, VENDOR_KEY, appliedKey, bearer } from "./world.ts";

const BASE = "https://proxy.example.com/vendor/v1/reflect";

function spellings(): string[] {
  const bare = btoa(VENDOR_KEY).replace(/=+$/, "");
  return [VENDOR_KEY, encodeURIComponent(VENDOR_KEY), bare.slice(4, -4)];
}

test.each(["raw", "base64", "percent", "json"])(
  "G4: the vendor key, reflected as %s, never reaches the caller, in header or body, whole or byte by byte",
  async (as) => {
    const proxy = await TestProxy.start();
    const key = await appliedKey({ integration: { responseCookies: true } });
    for (const how of ["whole", "bytes", "length", "gzip"]) {
      const response = await proxy.call(`${BASE}?as=${as}&how=${how}`, bearer(key.token));
      const seen = JSON.stringify([...response.headers]) + (await response.text());
      for (const spelling of spellings()) expect([how, seen.includes(spelling)]).toEqual([how, false]);
      expect(seen).toContain("data: before");
      expect(seen).toContain(REDACTED);
      expect(response.headers.getSetCookie()).toHaveLength(1);
    }
    expect(JSON.stringify(await proxy.settled())).not.toContain(VENDOR_KEY);
  },
);

test("an announced length stays true when the key is taken out", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey();
  for (const how of ["whole", "length"]) {
    const response = await proxy.call(`${BASE}?how=${how}`, bearer(key.token));
    const body = new Uint8Array(await response.arrayBuffer());
    expect(body.byteLength).toBe(`data: before ${VENDOR_KEY} after\n\n`.length);
    expect(response.headers.get("content-length") ?? String(body.byteLength)).toBe(String(body.byteLength));
  }
});

test("an integration may turn it off", async () => {
  const proxy = await TestProxy.start();
  const key = await appliedKey({ integration: { scrubResponses: false } });
  const response = await proxy.call(`${BASE}?how=bytes`, bearer(key.token));
  expect(await response.text()).toContain(VENDOR_KEY);
});

test("a coding that cannot be read is not handed on; without scrubbing it is", async () => {
  const proxy = await TestProxy.start();
  const url = "https://proxy.example.com/vendor/v1/encoded?as=zstd";
  const plain = await appliedKey({ integration: { scrubResponses: false } });
  const response = await proxy.call(url, bearer(plain.token));
  expect(response.status).toBe(200);
  await response.body?.cancel();
  const scrubbed = await appliedKey();
  expect((await proxy.call(url, bearer(scrubbed.token))).status).toBe(502);
});
