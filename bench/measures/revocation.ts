import type { LocalFile } from "@relaykey/local/state";
import { percentile } from "./load.ts";

const KEYS = 40;

/** Seconds from asking for a revocation to its receipt, of keys that were in use at that moment. */
export async function revocationSeconds(local: LocalFile): Promise<{ p50: number; p99: number }> {
  const post = async (path: string, body: object = {}): Promise<Record<string, unknown>> => {
    const response = await fetch(`${local.controlPlane}/api/v1${path}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${local.managementToken}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.status >= 300 || response.status === 202) throw new Error(await response.text());
    return (await response.json()) as Record<string, unknown>;
  };
  const times = await Promise.all(
    Array.from({ length: KEYS }, async (_, index) => {
      const created = await post("/keys", {
        holder: "bench",
        integration: "bench",
        allow: ["GET /v1/**"],
        ip: { mode: "any" },
      });
      const { id } = created["key"] as { id: string };
      const state = { isOver: false };
      const using = (async () => {
        while (!state.isOver) {
          const response = await fetch(`${local.proxy}/bench/v1/models`, {
            headers: { Authorization: `Bearer ${String(created["token"])}` },
          });
          await response.text();
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })();
      await new Promise((resolve) => setTimeout(resolve, 1_000 + index * 37));
      const began = performance.now();
      await post(`/keys/${id}/revoke`);
      const seconds = (performance.now() - began) / 1_000;
      state.isOver = true;
      await using;
      return seconds;
    }),
  );
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}
