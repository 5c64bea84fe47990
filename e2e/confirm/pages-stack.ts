import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type {
  ConfirmationMail,
  ConfirmationView,
  EndedLink,
  ReviewMail,
  ReviewView,
} from "@relaykey/core/rpc";
import type { Outbound } from "@relaykey/local/config/workerd";
import { until } from "@relaykey/local/test/run-workerd";
import { startSmallStack } from "@relaykey/local/test/small-stack";
import type { SmallStack } from "@relaykey/local/test/small-stack";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What the data plane's stand-in answers for a link; `then` is what a use leaves to be seen. */
export interface Arranged {
  readonly view?: ConfirmationView | EndedLink;
  readonly confirm?: { readonly state: string };
  readonly reject?: { readonly state: string };
  readonly resend?: { readonly state: string };
  readonly openReview?: string | null;
  readonly review?: ReviewView | { readonly state: "ended" };
  readonly stopTrusting?: { readonly state: string };
  readonly freezeKey?: { readonly state: string; readonly withinSeconds: number };
  readonly then?: Readonly<Record<string, Arranged>>;
  readonly down?: boolean;
}

/** The real confirm Worker and outbox on raw workerd, with a stand-in for the data plane's RPC service only. */
export class PagesStack {
  readonly #stack: SmallStack;

  private constructor(stack: SmallStack) {
    this.#stack = stack;
  }

  static async start(
    more: {
      vars?: Record<string, string>;
      secrets?: Record<string, string>;
      outbound?: Outbound;
      /** The confirm Worker's wrangler file, where a test needs another: absolute path. */
      config?: string;
    } = {},
  ): Promise<PagesStack> {
    return new PagesStack(
      await startSmallStack([
        {
          name: "relaykey-proxy",
          main: join(ROOT, "workers/confirm/test/confirmations.js"),
          wrangler: `
[[queues.producers]]
binding = "MAIL_QUEUE"
queue = "relaykey-mail"
[[queues.consumers]]
queue = "relaykey-notices"
max_batch_timeout = 0
`,
        },
        {
          name: "relaykey-outbox",
          main: join(ROOT, "local/outbox/index.ts"),
          config: join(ROOT, "local/outbox/wrangler.toml"),
        },
        {
          name: "relaykey-confirm",
          main: join(ROOT, "workers/confirm/index.ts"),
          config: more.config ?? join(ROOT, "workers/confirm/wrangler.toml"),
          vars: (url) => ({
            RELAYKEY_EDITION: "local",
            RELAYKEY_CONFIRM_URL: url("relaykey-confirm"),
            RELAYKEY_MAIL_FROM: "RelayKey <relaykey@example.com>",
            RELAYKEY_MAIL_TRANSPORT: "outbox",
            ...more.vars,
          }),
          services: [{ binding: "OUTBOX", service: "relaykey-outbox", entrypoint: "Outbox" }],
          ...(more.outbound === undefined ? {} : { outbound: more.outbound }),
          secrets: { RELAYKEY_CONFIRM_KEY: randomBytes(32).toString("base64"), ...more.secrets },
        },
      ]),
    );
  }

  get confirm(): string {
    return this.#stack.url("relaykey-confirm");
  }

  get outbox(): string {
    return this.#stack.url("relaykey-outbox");
  }

  stop(): Promise<void> {
    return this.#stack.stop();
  }

  /** A link as it stands in a mail, and its token. */
  async link(
    answers: Arranged,
    view: ConfirmationView = aView(),
  ): Promise<{ url: string; token: string; mailId: string }> {
    const token = randomBytes(32).toString("base64url");
    const to = `${crypto.randomUUID()}@example.org`;
    await this.arrange(token, { view, ...answers });
    const mailId = await this.enqueueConfirmation(to, token, view);
    const { text } = await this.mailTo(to);
    const url = /^http\S+\/c\/\S+$/m.exec(text)?.[0];
    if (url === undefined) throw new Error("The mail has no link.");
    return { url, token, mailId };
  }

  /** Has a mail about a new address sent; its id. */
  async enqueueConfirmation(
    to: string,
    token = randomBytes(32).toString("base64url"),
    view: ConfirmationView = aView(),
  ): Promise<string> {
    const pendingId = crypto.randomUUID();
    const mail: ConfirmationMail = {
      to,
      view,
      token,
      mailId: `mail-${pendingId}`,
      organizationId: "0195d8f0-0000-7000-8000-000000000001",
      holderId: "0195d8f0-0000-7000-8000-000000000002",
    };
    await this.#post("/arrange-mail", { pendingId, mail });
    await this.enqueue({ v: 1, kind: "confirmation", holderLocator: "0123456789abcdef", pendingId });
    return mail.mailId;
  }

  #generations = 0;

  /** A link to the own networks as it stands in a mail, and its token. */
  async reviewLink(answers: Arranged): Promise<{ url: string; token: string }> {
    const token = randomBytes(32).toString("base64url");
    this.#generations += 1;
    const generation = this.#generations;
    const to = `${crypto.randomUUID()}@example.org`;
    const mail: ReviewMail = {
      to,
      organizationId: "0195d8f0-0000-7000-8000-000000000001",
      holderId: "0195d8f0-0000-7000-8000-000000000002",
      holderName: "Ann",
      organizationName: "Acme",
      token,
      mailId: `review-${token}`,
      expiresAt: Date.now() + 30 * 60_000,
    };
    await this.arrange(token, answers);
    await this.#post("/arrange-review", { generation, mail });
    await this.enqueue({ v: 1, kind: "review", holderLocator: "0123456789abcdef", generation });
    const { text } = await this.mailTo(to);
    const url = /^http\S+\/n\/\S+$/m.exec(text)?.[0];
    if (url === undefined) throw new Error("The mail has no link.");
    return { url, token };
  }

  /** What the control plane was told of mail to holders that does not arrive. */
  async mailFailures(): Promise<Record<string, unknown>[]> {
    return (await this.#notices()).filter((notice) => notice["type"] === "holder.mail_failed");
  }

  /** What was queued for the control plane about an address. */
  async notices(email: string): Promise<Record<string, unknown>[]> {
    return (await this.#notices()).filter((notice) => notice["email"] === email);
  }

  async #notices(): Promise<Record<string, unknown>[]> {
    const response = await fetch(`${this.#stack.url("relaykey-proxy")}/notices`);
    return (await response.json()) as Record<string, unknown>[];
  }

  async arrange(token: string, answers: Arranged): Promise<void> {
    await this.#post("/arrange", { token, answers });
  }

  async enqueue(message: object): Promise<void> {
    await this.#post("/enqueue", message);
  }

  /** What was asked of the data plane under a token, but for looking. */
  async calls(token: string): Promise<unknown[]> {
    const response = await fetch(`${this.#stack.url("relaykey-proxy")}/calls?token=${token}`);
    return (await response.json()) as unknown[];
  }

  async mailTo(to: string): Promise<{ id: string; subject: string; text: string; html: string }> {
    const all = async (): Promise<{ id: string; subject: string; text: string; html: string }[]> => {
      const response = await fetch(`${this.outbox}/messages?to=${encodeURIComponent(to)}`);
      return (
        (await response.json()) as { data: { id: string; subject: string; text: string; html: string }[] }
      ).data;
    };
    await until(async () => (await all()).length > 0);
    const [mail] = await all();
    if (mail === undefined) throw new Error(`No mail to ${to}.`);
    return mail;
  }

  async #post(path: string, body: object): Promise<void> {
    const url = `${this.#stack.url("relaykey-proxy")}${path}`;
    const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  }
}

/** A call from a café. */
export function aView(more: Partial<ConfirmationView> = {}): ConfirmationView {
  const now = Date.now();
  return {
    state: "pending",
    pending: {
      id: "pending",
      network: "203.0.113.7",
      keyId: "0195d8f0-0000-7000-8000-000000000003",
      request: {
        method: "POST",
        path: "/v1/chat/completions",
        userAgent: "OpenAI/JS 7.57.0",
        integration: "openai",
        address: "203.0.113.7",
        place: {
          country: "DE",
          region: "Berlin",
          city: "Berlin",
          asn: 3_320,
          network: "Deutsche Telekom AG",
        },
      },
      since: now - 40_000,
      lastSeen: now - 5_000,
      attempts: 3,
      expiresAt: now + 14 * 60_000,
      mailed: true,
    },
    keyName: "Laptop",
    keyDisplay: "rk_proxy_…a1b2",
    holderName: "Ann",
    organizationName: "Acme",
    numberMatching: false,
    expiresAt: now + 14 * 60_000,
    ...more,
  };
}

/** Three networks, one that waits, and keys of each kind. */
export function aReview(): ReviewView {
  const now = Date.now();
  const { pending } = aView();
  const place = pending.request.place;
  const elsewhere = { country: "PT", region: "Lisbon", city: "Lisbon", asn: 3_243, network: "MEO" };
  const keyOf = (index: number): string => `0195d8f0-0000-7000-8000-00000000001${String(index)}`;
  return {
    state: "open",
    holderName: "Ann",
    organizationName: "Acme",
    trusted: [
      { network: "198.51.100.4", source: "first_use", firstSeen: now - 9e8, lastSeen: now - 6e4, place },
      {
        network: "2001:db8:85a3:8d3::/64",
        source: "confirmed",
        firstSeen: now - 5e8,
        lastSeen: now - 3e8,
        place: elsewhere,
      },
      { network: "192.0.2.0/24", source: "approved", firstSeen: now - 8e8, lastSeen: now - 7e8, place },
    ],
    preapproved: ["10.0.0.0/8"],
    pending: [pending],
    keys: [
      {
        keyId: keyOf(1),
        name: "Laptop",
        display: "rk_proxy_…a1b2",
        integration: "openai",
        isFrozen: false,
        addresses: "confirm",
      },
      {
        keyId: keyOf(2),
        name: "Build server",
        display: "rk_proxy_…c3d4",
        integration: "github",
        isFrozen: false,
        addresses: "any",
      },
      {
        keyId: keyOf(3),
        name: "Old phone",
        display: "rk_proxy_…e5f6",
        integration: "openai",
        isFrozen: true,
        addresses: "confirm",
      },
    ],
    expiresAt: now + 25 * 60_000,
  };
}
