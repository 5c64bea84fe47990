import OpenAI, { toFile } from "openai";
import { expect, inject, test } from "vitest";
import { Admin, countingFetch } from "../harness.ts";

const admin = new Admin(inject("local"));
const baseURL = `${admin.local.proxy}/openai/v1`;
const ask = { model: "demo-gpt", messages: [{ role: "user" as const, content: "Hello" }] };

async function client(allow: readonly string[], more = {}) {
  const key = await admin.createKey("openai", allow);
  return { key, openai: new OpenAI({ baseURL, apiKey: key.token, ...more }) };
}

test("a normal call reaches the vendor with the real key, and is in the audit log", async () => {
  const { openai } = await client(["POST /v1/chat/completions"]);
  const { data, response } = await openai.chat.completions.create(ask).withResponse();
  expect(data.choices[0]?.message.content).toBe("Hello from the demo upstream.");
  const event = await admin.event(response.headers.get("relaykey-request-id"));
  expect(event).toMatchObject({
    decision: "allowed",
    status: 200,
    path: "/v1/chat/completions",
    ip: "127.0.0.1",
  });
});

test("a stream arrives event by event, not at the end", async () => {
  const { openai } = await client(["POST /v1/chat/completions"]);
  const stream = await openai.chat.completions.create({ ...ask, stream: true });
  const arrivals: number[] = [];
  let text = "";
  for await (const chunk of stream) {
    arrivals.push(performance.now());
    text += chunk.choices[0]?.delta.content ?? "";
  }
  expect(text).toBe("Hello from the demo upstream.");
  // The upstream pauses between events: had they been gathered, all would have come at once.
  expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(300);
});

test("an upload", async () => {
  const { openai } = await client(["POST /v1/files"]);
  const file = await openai.files.create({
    file: await toFile(Buffer.alloc(300_000, 7), "a.jsonl"),
    purpose: "batch",
  });
  expect(file).toMatchObject({ bytes: 300_000, filename: "a.jsonl" });
});

test("a call outside the scope is an error with our words, sent once, and never reaches the vendor", async () => {
  const counter = countingFetch();
  const { key, openai } = await client(["GET /v1/models"], { fetch: counter.fetch });
  const error: unknown = await openai.chat.completions.create(ask).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
  expect(String(error)).toContain("does not allow this request");
  expect(counter.count()).toBe(1);
  const [event] = await admin.events(key, 1);
  expect(event).toMatchObject({
    decision: "blocked",
    reason: "scope_path",
    status: 403,
    upstream_status: null,
  });
});

test("a revoked key is refused as soon as revoke has returned", async () => {
  const { key, openai } = await client(["POST /v1/chat/completions"]);
  await openai.chat.completions.create(ask);
  await admin.revoke(key);
  await expect(openai.chat.completions.create(ask)).rejects.toThrow(/revoked/);
});
