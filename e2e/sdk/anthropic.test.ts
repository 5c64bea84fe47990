import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { expect, inject, test } from "vitest";
import { Admin, countingFetch } from "../harness.ts";

const admin = new Admin(inject("local"));
const baseURL = `${admin.local.proxy}/anthropic`;
const ask = { model: "demo", max_tokens: 50, messages: [{ role: "user" as const, content: "Hello" }] };

test.each([
  ["x-api-key", (token: string) => ({ apiKey: token })],
  ["Bearer", (token: string) => ({ apiKey: null, authToken: token })],
])("a normal call, key sent as %s", async (_, credentials) => {
  const { token } = await admin.createKey("anthropic", ["POST /v1/messages"]);
  const message = await new Anthropic({ baseURL, ...credentials(token) }).messages.create(ask);
  expect(message.content).toMatchObject([{ type: "text", text: "Hello from the demo upstream." }]);
});

test("a stream", async () => {
  const { token } = await admin.createKey("anthropic", ["POST /v1/messages"]);
  const stream = new Anthropic({ baseURL, apiKey: token }).messages.stream(ask);
  const texts: string[] = [];
  stream.on("text", (delta) => texts.push(delta));
  await stream.finalMessage();
  expect(texts).toEqual(["Hello", " from the demo", " upstream."]);
});

test("an upload", async () => {
  const { token } = await admin.createKey("anthropic", ["POST /v1/files"]);
  const file = await new Anthropic({ baseURL, apiKey: token }).beta.files.upload({
    file: await toFile(Buffer.alloc(300_000, 7), "a.txt", { type: "text/plain" }),
  });
  expect(file).toMatchObject({ size_bytes: 300_000, filename: "a.txt" });
});

test("a blocked call is an error with our words, sent once", async () => {
  const counter = countingFetch();
  const { token } = await admin.createKey("anthropic", ["GET /v1/models"]);
  const client = new Anthropic({ baseURL, apiKey: token, fetch: counter.fetch });
  await expect(client.messages.create(ask)).rejects.toThrow(/does not allow this request/);
  expect(counter.count()).toBe(1);
});
