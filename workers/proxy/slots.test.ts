import { describe, expect, test } from "vitest";
import { readSlots } from "./slots.ts";

const TOKEN = `rk_proxy_${"a".repeat(56)}`;
const OTHER = `rk_proxy_${"b".repeat(56)}`;

function read(headers: Record<string, string>, query = ""): ReturnType<typeof readSlots> {
  return readSlots(new Headers(headers), query);
}

describe("a RelayKey is found wherever a vendor's SDK puts its key", () => {
  test.each<[string, Record<string, string>]>([
    ["Bearer", { Authorization: `Bearer ${TOKEN}` }],
    ["bearer in lower case", { authorization: `bearer ${TOKEN}` }],
    ["token (Octokit)", { Authorization: `token ${TOKEN}` }],
    ["bare Authorization", { Authorization: TOKEN }],
    ["Basic user (Stripe's curl)", { Authorization: `Basic ${btoa(`${TOKEN}:`)}` }],
    ["Basic password (Twilio)", { Authorization: `Basic ${btoa(`AC123:${TOKEN}`)}` }],
    ["x-api-key (Anthropic)", { "x-api-key": TOKEN }],
    ["api-key (Azure)", { "api-key": TOKEN }],
    ["x-goog-api-key", { "x-goog-api-key": TOKEN }],
    ["xi-api-key (ElevenLabs)", { "xi-api-key": TOKEN }],
    ["apikey and Bearer (Supabase)", { apikey: TOKEN, Authorization: `Bearer ${TOKEN}` }],
    ["behind SG. (SendGrid)", { Authorization: `Bearer SG.${TOKEN}` }],
    ["WebSocket subprotocol", { "Sec-WebSocket-Protocol": `realtime, openai-insecure-api-key.${TOKEN}` }],
  ])("%s", (_, headers) => {
    expect(read(headers).tokens).toEqual([TOKEN]);
  });

  test.each(["key", "api_key", "access_token"])("query parameter %s, which is taken out", (name) => {
    const found = read({}, `a=1&${name}=${TOKEN}&b=%20x`);
    expect(found).toMatchObject({ tokens: [TOKEN], query: "a=1&b=%20x", foreign: false });
  });
});

test("a parameter of the same name that holds no RelayKey stays, byte for byte", () => {
  expect(read({ "x-api-key": TOKEN }, "key=a%2Fb&KEY=1").query).toBe("key=a%2Fb&KEY=1");
});

test("two different RelayKeys are both reported", () => {
  expect(read({ authorization: `Bearer ${TOKEN}`, "x-api-key": OTHER }).tokens).toEqual([TOKEN, OTHER]);
});

test("the key's subprotocol is not offered upstream, the others are", () => {
  const found = read({ "Sec-WebSocket-Protocol": `realtime, openai-insecure-api-key.${TOKEN}, v1` });
  expect(found.subprotocols).toEqual(["realtime", "v1"]);
});

test.each([
  ["a vendor's own key", { authorization: "Bearer sk-live-1234" }],
  ["Stripe's restricted key, which also begins with rk_", { authorization: "Bearer rk_live_1234" }],
  ["broken Basic", { authorization: "Basic %%%" }],
])("%s is a foreign credential, no token", (_, headers) => {
  expect(read(headers)).toMatchObject({ tokens: [], foreign: true });
});
