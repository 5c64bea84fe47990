import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A subscription as Stripe's API shows it, as far as it is read. */
export interface FakeSubscription {
  readonly id: string;
  readonly customer: string;
  status: string;
  price: string;
}

/** A page to subscribe on. */
export interface FakeSession {
  readonly id: string;
  readonly customer: string;
  readonly price: string;
  readonly successUrl: string;
  status: "open" | "complete" | "expired";
}

export interface FakeCall {
  readonly method: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly idempotencyKey: string | null;
}

/**
 * Stripe on loopback, as its API is documented: the key and the form encoding are checked, a repeated `Idempotency-Key` gets
 * the first answer again, and its pages can be paid with a browser.
 */
export interface StripeFake {
  readonly url: string;
  readonly sessions: FakeSession[];
  readonly subscriptions: FakeSubscription[];
  readonly calls: FakeCall[];
  /** What it answers with in place of success. */
  failing: { readonly status: number; readonly body: string } | null;
  /** Where its pages are; null: itself. */
  pageOrigin: string | null;
  /** Awaited after the answer was worked out and before it is sent. */
  late: (call: FakeCall) => Promise<void>;
  /** Pays on a page; what it was. @returns the subscription, or null when the page is over. */
  pay(sessionId: string): FakeSubscription | null;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  "/v1/customers": ["name"],
  "/v1/checkout/sessions": [
    "mode",
    "customer",
    "line_items[0][price]",
    "line_items[0][quantity]",
    "success_url",
    "cancel_url",
  ],
  "/v1/billing_portal/sessions": ["customer", "return_url"],
};

export async function startStripe(secretKey: string): Promise<StripeFake> {
  const answers = new Map<string, { readonly text: string; readonly answer: Answer }>();
  const customers = new Set<string>();
  const newId = (prefix: string) => `${prefix}_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;

  const server = createServer((request, response) => {
    void serve(request, response);
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? "", fake.url);
    const key = request.headers["idempotency-key"];
    const call = {
      method: request.method ?? "",
      path: url.pathname,
      fields: Object.fromEntries(new URLSearchParams(text)),
      idempotencyKey: typeof key === "string" ? key : null,
    };
    if (!url.pathname.startsWith("/v1/")) {
      send(response, showPage(call));
      return;
    }
    fake.calls.push(call);
    const answer = answerOnce(call, url, text, request.headers);
    await fake.late(call);
    send(response, answer);
  }

  function answerOnce(call: FakeCall, url: URL, text: string, headers: IncomingMessage["headers"]): Answer {
    if (headers.authorization !== `Bearer ${secretKey}`) return refusal(401, "invalid_api_key");
    if (!/^\d{4}-\d\d-\d\d\.\w+$/.test(String(headers["stripe-version"]))) return refusal(400, "version");
    if (text !== "" && headers["content-type"] !== "application/x-www-form-urlencoded")
      return refusal(400, "not a form");
    if (fake.failing !== null) return fake.failing;
    const known = call.idempotencyKey === null ? undefined : answers.get(call.idempotencyKey);
    if (known !== undefined) return known.text === text ? known.answer : refusal(400, "idempotency_error");
    const missing = (REQUIRED[call.path] ?? []).filter((name) => (call.fields[name] ?? "") === "");
    if (call.method === "POST" && missing.length > 0) return refusal(400, `missing ${missing.join(", ")}`);
    const answer = perform(call, url);
    // As Stripe does, only what it began to do is remembered.
    if (call.idempotencyKey !== null && answer.status < 400)
      answers.set(call.idempotencyKey, { text, answer });
    return answer;
  }

  function perform({ method, path, fields }: FakeCall, url: URL): Answer {
    const page = fake.pageOrigin ?? fake.url;
    const customer = fields["customer"] ?? "";
    switch (`${method} ${path}`) {
      case "POST /v1/customers": {
        const id = newId("cus");
        customers.add(id);
        return json({ id });
      }
      case "POST /v1/checkout/sessions": {
        const lives = Number(fields["expires_at"]) - Date.now() / 1_000;
        if (!customers.has(customer) || fields["mode"] !== "subscription") return refusal(400, "parameter");
        if (lives < 1_800 || lives > 86_400) return refusal(400, "expires_at");
        const price = fields["line_items[0][price]"] ?? "";
        const successUrl = fields["success_url"] ?? "";
        const id = newId("cs_test");
        fake.sessions.push({ id, customer, price, successUrl, status: "open" });
        return json({ id, status: "open", url: `${page}/c/pay/${id}` });
      }
      case "POST /v1/billing_portal/sessions":
        if (!customers.has(customer)) return refusal(400, "no such customer");
        return json({ id: newId("bps"), url: `${page}/p/session/${newId("test")}` });
      case "GET /v1/subscriptions":
        return json({
          has_more: false,
          data: fake.subscriptions
            .filter((one) => one.customer === url.searchParams.get("customer") && one.status !== "canceled")
            .map(({ price, ...rest }) => ({ ...rest, items: { data: [{ price: { id: price } }] } })),
        });
    }
    const [, , , noun, id, verb] = path.split("/");
    const session = noun === "sessions" ? fake.sessions.find((one) => one.id === id) : undefined;
    if (session !== undefined && method === "GET") return json({ id: session.id, status: session.status });
    if (session !== undefined && method === "POST" && verb === "expire") {
      if (session.status !== "open") return refusal(400, "Only open Checkout Sessions can be expired.");
      session.status = "expired";
      return json({ id: session.id, status: session.status });
    }
    const ended = fake.subscriptions.find((one) => path === `/v1/subscriptions/${one.id}`);
    if (method !== "DELETE" || ended === undefined) return refusal(404, "resource_missing");
    ended.status = "canceled";
    return json({ id: ended.id });
  }

  /** What a person sees of it. */
  function showPage({ method, path }: FakeCall): Answer {
    const headers = { "Content-Type": "text/html; charset=utf-8" };
    const session = fake.sessions.find(({ id }) => path === `/c/pay/${id}`);
    if (session === undefined) return { status: 200, headers, body: "<title>Portal</title><h1>Portal</h1>" };
    if (session.status !== "open")
      return { status: 200, headers, body: "<title>Over</title><h1>This page has expired</h1>" };
    if (method === "GET")
      return {
        status: 200,
        headers,
        body: `<title>Pay</title><form method="post"><button>Subscribe</button></form>`,
      };
    fake.pay(session.id);
    return { status: 303, headers: { Location: session.successUrl }, body: "" };
  }

  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const fake: StripeFake = {
    url: `http://127.0.0.1:${String(port)}`,
    sessions: [],
    subscriptions: [],
    calls: [],
    failing: null,
    pageOrigin: null,
    late: () => Promise.resolve(),
    pay: (sessionId) => {
      const session = fake.sessions.find(({ id }) => id === sessionId);
      if (session?.status !== "open") return null;
      session.status = "complete";
      const { customer, price } = session;
      const subscription = { id: newId("sub"), customer, price, status: "active" };
      fake.subscriptions.push(subscription);
      return subscription;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return fake;
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  response.writeHead(status, { "Content-Type": "application/json", "Request-Id": "req_1", ...headers });
  response.end(body);
}

function json(body: object): Answer {
  return { status: 200, body: JSON.stringify(body) };
}

function refusal(status: number, message: string): Answer {
  return { status, body: JSON.stringify({ error: { type: "invalid_request_error", message } }) };
}
