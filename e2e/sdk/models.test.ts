import { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import { GoogleGenAI } from "@google/genai";
import { describe, expect, inject, test } from "vitest";
import { Admin } from "../harness.ts";

const admin = new Admin(inject("local"));
const { proxy } = admin.local;

describe("google genai", () => {
  async function client(allow: readonly string[]): Promise<GoogleGenAI> {
    const { token } = await admin.createKey("google", allow);
    return new GoogleGenAI({ apiKey: token, httpOptions: { baseUrl: `${proxy}/google` } });
  }
  const ask = { model: "gemini-2.5-flash", contents: "Hello" };

  test("a normal call and a stream", async () => {
    const google = await client(["POST /v1/models/*", "POST /v1beta/models/*"]);
    expect((await google.models.generateContent(ask)).text).toBe("Hello from the demo upstream.");
    const texts: (string | undefined)[] = [];
    for await (const chunk of await google.models.generateContentStream(ask)) texts.push(chunk.text);
    expect(texts).toEqual(["Hello", " from the demo", " upstream."]);
  });

  test("a resumable upload, whose second address the vendor names", async () => {
    const google = await client(["POST /upload/*/files"]);
    const file = await google.files.upload({
      file: new Blob([Buffer.alloc(300_000, 7)]),
      config: { mimeType: "text/plain" },
    });
    expect(file).toMatchObject({ name: "files/demo", sizeBytes: "300000" });
  });

  test("a blocked call is an error with our words", async () => {
    const google = await client(["GET /v1beta/models"]);
    await expect(google.models.generateContent(ask)).rejects.toThrow(/does not allow this request/);
  });
});

describe("elevenlabs", () => {
  test("a stream and an upload", async () => {
    const key = await admin.createKey("elevenlabs", [
      "POST /v1/text-to-speech/*/stream",
      "POST /v1/speech-to-text",
    ]);
    const client = new ElevenLabsClient({ apiKey: key.token, baseUrl: `${proxy}/elevenlabs` });
    const audio = await client.textToSpeech.stream("voice", { text: "Hello", modelId: "demo" });
    const parts: string[] = [];
    for await (const part of audio as unknown as AsyncIterable<Uint8Array>)
      parts.push(new TextDecoder().decode(part));
    expect(parts.join("")).toBe("ID3 demo audio");
    expect(parts.length).toBeGreaterThan(1);
    const heard = await client.speechToText.convert({
      modelId: "scribe_v1",
      file: new File([Buffer.alloc(300_000, 7)], "a.mp3"),
    });
    expect(heard).toMatchObject({ text: "300000 bytes of speech" });
  });

  test("speech, and a blocked call with our words", async () => {
    const key = await admin.createKey("elevenlabs", ["POST /v1/text-to-speech/*"]);
    const client = new ElevenLabsClient({ apiKey: key.token, baseUrl: `${proxy}/elevenlabs` });
    const audio = await client.textToSpeech.convert("voice", { text: "Hello", modelId: "demo" });
    expect(await new Response(audio).text()).toBe("ID3 demo audio");
    const error: unknown = await client.models.list().catch((reason: unknown) => reason);
    expect(JSON.stringify((error as { body: unknown }).body)).toContain("does not allow this request");
    expect((await admin.events(key, 2)).map(({ decision }) => decision)).toEqual(["blocked", "allowed"]);
  });
});
