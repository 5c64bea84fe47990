import type { Stack } from "@relaykey/local/stack";
import type { Target } from "../targets/targets.ts";
import { load } from "./load.ts";

/** What one key's requests cost the platform. */
export interface Operations {
  readonly requests: number;
  /** By kind, per request. */
  readonly perRequest: Readonly<Record<"object call" | "queue message" | "kv get", number>>;
}

/** List prices, in dollars per million operations (Cloudflare's Workers paid plan, 2026). */
const PRICE = { request: 0.3, "kv get": 0.5, "object call": 0.15, queueOperation: 0.4 } as const;
/** Written, read and acknowledged. */
const OPERATIONS_PER_QUEUE_MESSAGE = 3;

const SECONDS = 5;
const SETTLE_MS = 500;

/** Counts the operations behind a few seconds of load on one key. */
export async function countOperations(stack: Stack, target: Target): Promise<Operations> {
  const before = await counts(stack, target);
  const { requests } = await load(target, 32, SECONDS);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const after = await counts(stack, target);
  const per = (kind: keyof Operations["perRequest"]): number => (after[kind] - before[kind]) / requests;
  return {
    requests,
    perRequest: {
      "object call": per("object call"),
      "queue message": per("queue message"),
      "kv get": per("kv get"),
    },
  };
}

/** What a million requests of a hot key cost at list price, CPU time left out. */
export function millionRequestsCost({ perRequest }: Operations): number {
  return (
    PRICE.request +
    perRequest["object call"] * PRICE["object call"] +
    perRequest["kv get"] * PRICE["kv get"] +
    perRequest["queue message"] * OPERATIONS_PER_QUEUE_MESSAGE * PRICE.queueOperation
  );
}

async function counts(stack: Stack, target: Target): Promise<Record<keyof Operations["perRequest"], number>> {
  const platform = await stack.operations();
  return {
    "object call": await objectCalls(stack, target),
    "queue message": platform["queue message"] ?? 0,
    "kv get": platform["kv get"] ?? 0,
  };
}

/** The holder's object counts the questions it was asked; the management API shows the count. */
async function objectCalls(stack: Stack, target: Target): Promise<number> {
  const { controlPlane, managementToken } = stack.local;
  const response = await fetch(`${controlPlane}/api/v1/keys/${target.keyId ?? ""}/enforcement`, {
    headers: { Authorization: `Bearer ${managementToken}` },
  });
  if (!response.ok) throw new Error(await response.text());
  return ((await response.json()) as { inspection: { leases_asked: number } }).inspection.leases_asked;
}
