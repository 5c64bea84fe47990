import { WebClient } from "@slack/web-api";
import Cloudflare from "cloudflare";
import { Octokit } from "octokit";
import { Resend } from "resend";
import twilio from "twilio";
import { describe, expect, inject, test } from "vitest";
import { Admin, countingFetch } from "../harness.ts";

const admin = new Admin(inject("local"));
const { proxy } = admin.local;

describe("resend", () => {
  async function client(allow: readonly string[]): Promise<Resend> {
    const { token } = await admin.createKey("resend", allow);
    return new Resend(token, { baseUrl: `${proxy}/resend` });
  }
  const mail = { from: "a@example.com", to: "b@example.com", subject: "Hi", text: "Hello" };

  test("a mail is sent", async () => {
    const { data, error } = await (await client(["POST /emails"])).emails.send(mail);
    expect(error).toBeNull();
    expect(data?.id).toBeDefined();
  });

  test("idempotency keys arrive as they were sent", async () => {
    const resend = await client(["POST /emails"]);
    const options = { idempotencyKey: `welcome/${crypto.randomUUID()}` };
    const first = await resend.emails.send(mail, options);
    const second = await resend.emails.send(mail, options);
    expect(second.data?.id).toBe(first.data?.id);
    expect((await resend.emails.send(mail)).data?.id).not.toBe(first.data?.id);
  });

  test("a blocked one comes back as an error", async () => {
    const { data, error } = await (await client(["GET /emails/*"])).emails.send(mail);
    expect(data).toBeNull();
    expect(error?.message).toContain("does not allow this request");
  });
});

describe("cloudflare", () => {
  test("a list, and a blocked call with our words, sent once", async () => {
    const counter = countingFetch();
    const { token } = await admin.createKey("cloudflare", ["GET /zones"]);
    const client = new Cloudflare({ baseURL: `${proxy}/cloudflare`, apiToken: token, fetch: counter.fetch });
    const zones = await client.zones.list();
    expect(zones.result[0]?.name).toBe("example.com");
    await expect(client.zones.get({ zone_id: "0".repeat(32) })).rejects.toThrow(
      /does not allow this request/,
    );
    expect(counter.count()).toBe(2);
  });
});

describe("uploads", () => {
  const bytes = Buffer.alloc(300_000, 7);

  test("cloudflare: an image", async () => {
    const { token } = await admin.createKey("cloudflare", ["POST /accounts/*/images/v1"]);
    const client = new Cloudflare({ baseURL: `${proxy}/cloudflare`, apiToken: token });
    const image = await client.images.v1.create({
      account_id: "0".repeat(32),
      file: new File([bytes], "a.png"),
    });
    expect(image).toMatchObject({ filename: "a.png", meta: { bytes: 300_000 } });
  });

  test("octokit: a release asset", async () => {
    const { token } = await admin.createKey("github", ["POST /repos/*/*/releases/*/assets"]);
    const octokit = new Octokit({ auth: token, baseUrl: `${proxy}/github` });
    const asset = await octokit.rest.repos.uploadReleaseAsset({
      baseUrl: `${proxy}/github`,
      owner: "o",
      repo: "r",
      release_id: 1,
      name: "a.bin",
      data: bytes as unknown as string,
      headers: { "content-type": "application/octet-stream" },
    });
    expect(asset.data).toMatchObject({ name: "a.bin", size: 300_000 });
  });

  test("slack: a photo", async () => {
    const { token } = await admin.createKey("slack", ["POST /api/users.setPhoto"]);
    const slack = new WebClient(token, { slackApiUrl: `${proxy}/slack/api/` });
    const answer = await slack.users.setPhoto({ image: bytes });
    expect(answer.profile).toMatchObject({ avatar_hash: "300000" });
  });
});

describe("octokit", () => {
  test("a call, and a blocked one that its retry plug-in does not repeat", async () => {
    const counter = countingFetch();
    const { token } = await admin.createKey("github", ["GET /user", "POST /repos/*/*/issues"]);
    const octokit = new Octokit({
      auth: token,
      baseUrl: `${proxy}/github`,
      request: { fetch: counter.fetch },
    });
    expect((await octokit.rest.users.getAuthenticated()).data.login).toBe("octocat");
    const issue = await octokit.rest.issues.create({ owner: "o", repo: "r", title: "T" });
    expect(issue.data.number).toBe(7);
    const before = counter.count();
    await expect(octokit.rest.repos.get({ owner: "o", repo: "r" })).rejects.toThrow(
      /does not allow this request/,
    );
    expect(counter.count()).toBe(before + 1);
  });
});

describe("slack", () => {
  test("a message, and a blocked call that is an error and not retried", async () => {
    const key = await admin.createKey("slack", ["POST /api/chat.postMessage"]);
    const slack = new WebClient(key.token, { slackApiUrl: `${proxy}/slack/api/` });
    const posted = await slack.chat.postMessage({ channel: "C1", text: "Hello" });
    expect(posted).toMatchObject({ ok: true, channel: "C1" });
    await expect(slack.conversations.list()).rejects.toThrow(/scope_denied/);
    const events = await admin.events(key, 2);
    expect(events.map(({ decision }) => decision)).toEqual(["blocked", "allowed"]);
  });
});

describe("twilio", () => {
  /** Twilio's documented way to another address: a RequestClient that rewrites the host. */
  class Relayed extends twilio.RequestClient {
    override request: twilio.RequestClient["request"] = (options) =>
      super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", `${proxy}/twilio`) });
  }
  const sid = `AC${"0123456789abcdef".repeat(2)}`;

  test("a message, and a blocked call with our words", async () => {
    const { token } = await admin.createKey("twilio", ["POST /2010-04-01/Accounts/*/Messages.json"]);
    const client = twilio(sid, token, { httpClient: new Relayed() });
    const message = await client.messages.create({ to: "+15550001", from: "+15550002", body: "Hello" });
    expect(message).toMatchObject({ body: "Hello", accountSid: sid });
    await expect(client.calls.list({ limit: 1 })).rejects.toThrow(/does not allow this request/);
  });
});
