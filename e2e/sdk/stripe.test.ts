import http from "node:http";
import Stripe from "stripe";
import { expect, inject, test } from "vitest";
import { Admin } from "../harness.ts";

const admin = new Admin(inject("local"));
const { port } = new URL(admin.local.proxy);

/** Stripe's SDK takes no base path: the integration is addressed by host, `stripe.localhost`, found on this machine. */
function client(token: string): { stripe: Stripe; sent: () => number } {
  let sent = 0;
  const httpAgent = new http.Agent({
    lookup: (_host, options, callback) => {
      if (options.all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
      else callback(null, "127.0.0.1", 4);
    },
  });
  const stripe = new Stripe(token, {
    host: "stripe.localhost",
    port,
    protocol: "http",
    httpAgent,
    telemetry: false,
  });
  // eslint-disable-next-line @typescript-eslint/no-unsafe-call -- the package declares its emitter without types
  stripe.on("request", () => (sent += 1));
  return { stripe, sent: () => sent };
}

test("form-encoded calls, and idempotency keys as they were sent", async () => {
  const { token } = await admin.createKey("stripe", ["POST /v1/customers", "GET /v1/customers"]);
  const { stripe } = client(token);
  const options = { idempotencyKey: `order-${crypto.randomUUID()}` };
  const one = await stripe.customers.create({ email: "jenny@example.com", metadata: { a: "1" } }, options);
  const two = await stripe.customers.create({ email: "jenny@example.com", metadata: { a: "1" } }, options);
  expect(two.id).toBe(one.id);
  expect(one.metadata).toEqual({ idempotency_key: options.idempotencyKey });
  expect((await stripe.customers.list({ expand: ["data.subscriptions"] })).data).toHaveLength(1);
});

test("a blocked call is an error, not an object without members, and is sent once", async () => {
  const { token } = await admin.createKey("stripe", ["GET /v1/customers"]);
  const { stripe, sent } = client(token);
  await expect(stripe.customers.create({ email: "a@example.com" })).rejects.toThrow(
    /does not allow this request/,
  );
  expect(sent()).toBe(1);
});
