import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A subscription as Stripe's API shows it, as far as it is read. */
export interface FakeSubscription {
  readonly id: string;
  readonly customer: string;
  status: string;
  price: string;
}

export interface FakeCall {
  readonly method: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly idempotencyKey: string | null;
}

/** Stripe's HTTP API on loopback: keys are checked, and a repeated `Idempotency-Key` gets the first answer again. */
export interface StripeFake {
  readonly url: string;
  readonly subscriptions: FakeSubscription[];
  readonly calls: FakeCall[];
  /** What it answers with in place of success. */
  failing: { readonly status: number; readonly body: string } | null;
  /** Where its pages are; null: itself. */
  pageOrigin: string | null;
  /** Awaited after the answer was worked out and before it is sent. */
  late: () => Promise<void>;
  close(): Promise<void>;
}

export async function startStripe(secretKey: string): Promise<StripeFake> {
  const answers = new Map<string, { readonly text: string; readonly answer: object }>();
  let made = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const url = new URL(request.url ?? "", fake.url);
      const key = request.headers["idempotency-key"];
      const idempotencyKey = typeof key === "string" ? key : null;
      const method = request.method ?? "";
      fake.calls.push({
        method,
        path: url.pathname,
        fields: Object.fromEntries(new URLSearchParams(text)),
        idempotencyKey,
      });
      const { status, body } = answer(method, url, text, idempotencyKey, request.headers.authorization);
      void fake.late().then(() => {
        response.writeHead(status, { "Content-Type": "application/json", "Request-Id": "req_1" });
        response.end(body);
      });
    });
  });

  function answer(
    method: string,
    url: URL,
    text: string,
    key: string | null,
    authorization: string | undefined,
  ): { readonly status: number; readonly body: string } {
    if (authorization !== `Bearer ${secretKey}`) return { status: 401, body: "{}" };
    if (fake.failing !== null) return fake.failing;
    const known = key === null ? undefined : answers.get(key);
    if (known !== undefined) {
      // As Stripe does when a key comes with other fields.
      if (known.text !== text) return { status: 400, body: `{"error":{"type":"idempotency_error"}}` };
      return { status: 200, body: JSON.stringify(known.answer) };
    }
    const result = perform(method, url);
    if (result === null) return { status: 404, body: "{}" };
    if (key !== null) answers.set(key, { text, answer: result });
    return { status: 200, body: JSON.stringify(result) };
  }

  function perform(method: string, url: URL): object | null {
    made += 1;
    const page = fake.pageOrigin ?? fake.url;
    switch (`${method} ${url.pathname}`) {
      case "POST /v1/customers":
        return { id: `cus_${String(made)}${crypto.randomUUID().slice(0, 8)}` };
      case "POST /v1/checkout/sessions":
        return { id: `cs_${String(made)}`, url: `${page}/c/pay/${String(made)}` };
      case "POST /v1/billing_portal/sessions":
        return { id: `bps_${String(made)}`, url: `${page}/p/session/${String(made)}` };
      case "GET /v1/subscriptions":
        return {
          has_more: false,
          data: fake.subscriptions
            .filter(
              ({ customer, status }) =>
                customer === url.searchParams.get("customer") && status !== "canceled",
            )
            .map(({ price, ...rest }) => ({ ...rest, items: { data: [{ price: { id: price } }] } })),
        };
    }
    const ended = fake.subscriptions.find(({ id }) => url.pathname === `/v1/subscriptions/${id}`);
    if (method !== "DELETE" || ended === undefined) return null;
    ended.status = "canceled";
    return { id: ended.id };
  }

  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const fake: StripeFake = {
    url: `http://127.0.0.1:${String(port)}`,
    subscriptions: [],
    calls: [],
    failing: null,
    pageOrigin: null,
    late: () => Promise.resolve(),
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
