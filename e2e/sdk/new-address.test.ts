import http from "node:http";
import Anthropic from "@anthropic-ai/sdk";
import { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import { GoogleGenAI } from "@google/genai";
import { WebClient } from "@slack/web-api";
import Cloudflare from "cloudflare";
import { Octokit } from "octokit";
import OpenAI from "openai";
import { Resend } from "resend";
import Stripe from "stripe";
import twilio from "twilio";
import { expect, inject, test } from "vitest";
import { fetchFor } from "../call-from.ts";
import { Admin } from "../harness.ts";
import type { IssuedKey } from "../harness.ts";

/** What a person sees who calls from a new address with a vendor's own SDK, as it comes: nothing of it is set up for that. */
const admin = new Admin(inject("local"));
const { proxy } = admin.local;
/** Where the key was used first. The SDKs then call from 127.0.0.1. */
const HOME = "198.51.100.1";
const SENTENCE =
  /This key was not used from 127\.0\.0\.1 before\. A mail is on its way to a•••@example\.org: open it within \d+ minutes and confirm the address; its number is \d+\./;

/** Twilio's documented way to another address. */
class Relayed extends twilio.RequestClient {
  override request: twilio.RequestClient["request"] = (options) =>
    super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", `${proxy}/twilio`) });
}

/** Stripe's takes no base path: the integration is addressed by host, found on this machine. */
const onThisMachine = new http.Agent({
  lookup: (_host, options, callback) => {
    if (options.all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
    else callback(null, "127.0.0.1", 4);
  },
});

/** What a program that lets the SDK's error go by prints of it. */
function message(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error);
}

interface Client {
  readonly sdk: string;
  readonly integration: string;
  readonly status: number;
  call(token: string): Promise<unknown>;
  /** Where it tells of what went wrong, unless in the error's message. */
  tells?(error: unknown): string;
}

const CLIENTS: readonly Client[] = [
  {
    sdk: "openai",
    integration: "openai",
    status: 423,
    call: (apiKey) => new OpenAI({ baseURL: `${proxy}/openai/v1`, apiKey }).models.list(),
  },
  {
    sdk: "@anthropic-ai/sdk",
    integration: "anthropic",
    status: 423,
    call: (apiKey) => new Anthropic({ baseURL: `${proxy}/anthropic`, apiKey }).models.list(),
  },
  {
    sdk: "stripe",
    integration: "stripe",
    status: 423,
    call: (token) => {
      const { port } = new URL(proxy);
      const options = { host: "stripe.localhost", port, protocol: "http", telemetry: false } as const;
      return new Stripe(token, { ...options, httpAgent: onThisMachine }).customers.list();
    },
  },
  {
    sdk: "octokit",
    integration: "github",
    // Its retry plug-in repeats 423.
    status: 403,
    call: (auth) => new Octokit({ auth, baseUrl: `${proxy}/github` }).rest.users.getAuthenticated(),
  },
  {
    sdk: "cloudflare",
    integration: "cloudflare",
    status: 423,
    call: (apiToken) => new Cloudflare({ baseURL: `${proxy}/cloudflare`, apiToken }).zones.list(),
  },
  {
    sdk: "resend",
    integration: "resend",
    status: 423,
    // It throws nothing: the answer has the error.
    call: async (token) => {
      const mail = { from: "a@example.com", to: "b@example.com", subject: "Hi", text: "Hello" };
      const { error } = await new Resend(token, { baseUrl: `${proxy}/resend` }).emails.send(mail);
      throw new Error(error?.message ?? "It was sent.");
    },
  },
  {
    sdk: "@slack/web-api",
    integration: "slack",
    // Every other status is a fault of the network to it, which it repeats for half an hour.
    status: 200,
    call: (token) => new WebClient(token, { slackApiUrl: `${proxy}/slack/api/` }).conversations.list(),
    // The message is "An API error occurred: ip_unconfirmed"; the rest is beside it.
    tells: (error) => {
      expect(message(error)).toContain("ip_unconfirmed");
      return JSON.stringify((error as { data: unknown }).data);
    },
  },
  {
    sdk: "@google/genai",
    integration: "google",
    status: 423,
    call: (apiKey) =>
      new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${proxy}/google` } }).models.generateContent({
        model: "gemini-2.5-flash",
        contents: "Hello",
      }),
  },
  {
    sdk: "@elevenlabs/elevenlabs-js",
    integration: "elevenlabs",
    status: 423,
    call: (apiKey) => new ElevenLabsClient({ apiKey, baseUrl: `${proxy}/elevenlabs` }).models.list(),
  },
  {
    sdk: "twilio",
    integration: "twilio",
    status: 423,
    call: (token) => {
      const client = twilio(`AC${"0123456789abcdef".repeat(2)}`, token, { httpClient: new Relayed() });
      return client.calls.list({ limit: 1 });
    },
  },
];

/** A person's key that was used from home. */
async function usedAtHome(integration: string): Promise<IssuedKey> {
  const email = `a-${crypto.randomUUID()}@example.org`;
  const { holder } = await admin.call<{ holder: { id: string } }>("POST", "/holders", {
    name: email,
    kind: "person",
    email,
  });
  const key = await admin.createKey(integration, ["* /**"], {
    holder: holder.id,
    ip: { mode: "confirm" },
  });
  await fromHome(integration, key);
  return key;
}

/** @returns the id of the request. */
async function fromHome(integration: string, key: IssuedKey): Promise<string> {
  const response = await fetchFor(HOME)(`${proxy}/${integration}/home`, {
    headers: { Authorization: `Bearer ${key.token}` },
  });
  await response.body?.cancel();
  expect(response.status).not.toBe(423);
  return response.headers.get("relaykey-request-id") ?? "";
}

test.each(CLIENTS)("$sdk says what to do, and asks once", async (client) => {
  const key = await usedAtHome(client.integration);
  const error: unknown = await client.call(key.token).then(
    () => "It went through.",
    (caught: unknown) => caught,
  );
  expect((client.tells ?? message)(error)).toMatch(SENTENCE);

  // Whatever came before this one is in the log when this one is.
  await admin.event(await fromHome(client.integration, key));
  const events = await admin.events(key, 3);
  expect(events.filter(({ reason }) => reason === "ip_unconfirmed")).toMatchObject([
    { status: client.status, upstream_status: null, ip: "127.0.0.1" },
  ]);
  expect(events).toHaveLength(3);
});
