import type { Target } from "./targets.ts";

/** The request that a round of load repeats. */
export interface Call {
  readonly method: "GET" | "POST";
  /** Appended to the target's address. */
  readonly path: string;
  readonly body: string | null;
}

export const GET_MODELS: Call = { method: "GET", path: "/v1/models", body: null };
/** For peers that relay nothing but model calls. */
export const POST_CHAT: Call = {
  method: "POST",
  path: "/v1/chat/completions",
  body: JSON.stringify({ model: "demo", messages: [{ role: "user", content: "Hello" }] }),
};

/** What only the upstream of the benchmark answers. */
const MARK = "owned_by";

/**
 * Makes the call once, because a refusal is quickly answered too: it must not be taken for speed.
 *
 * @throws Error that says what came back instead of the upstream's answer.
 */
export async function assertRelays({ url, headers, call }: Target): Promise<void> {
  const response = await fetch(`${url}${call.path}`, {
    method: call.method,
    headers: { ...headers, ...(call.body === null ? {} : { "Content-Type": "application/json" }) },
    body: call.body,
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (response.ok && text.includes(MARK)) return;
  throw new Error(
    `${call.method} ${call.path} was answered with ${String(response.status)}: ${text.slice(0, 120)}`,
  );
}

/** The call as a script for wrk, which by itself can send GET only. */
export function wrkScript({ body }: Call): string | null {
  if (body === null) return null;
  return `wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[${body}]==]\n`;
}
