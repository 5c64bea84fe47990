import { equalBytes, utf8 } from "@relaykey/core/bytes";
import { readLayout } from "./config.ts";
import { countedOperations } from "./operations.ts";

export { CronClock } from "./cron/clock.ts";
export { AssetsFirst, StaticAssets } from "./files/static-assets.ts";
export { KvNamespace } from "./kv/namespace.ts";
export { KvStore } from "./kv/store.ts";
export { QueueProducer } from "./queue/producer.ts";
export { QueueStore } from "./queue/store.ts";

/**
 * The operator's door, on a loopback socket of its own: `POST /start` sets the clocks going, `GET /queues` shows the
 * backlogs, `GET /operations` counts what was asked of the platform, `DELETE /kv/NAMESPACE` empties a namespace. Every call needs the platform token of this state folder.
 */
export default {
  async fetch(request, env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "GET" && pathname === "/healthz") return Response.json({ status: "ok" });
    if (!isOperator(request, env))
      return new Response("The platform token is missing or wrong.", { status: 401 });
    const namespace = /^\/kv\/([^/]+)$/.exec(pathname)?.[1];
    if (request.method === "POST" && pathname === "/start") return start(env);
    if (request.method === "GET" && pathname === "/queues") return backlogs(env);
    if (request.method === "GET" && pathname === "/operations") return Response.json(countedOperations());
    if (request.method === "DELETE" && namespace !== undefined) {
      await env.KV_STORE.getByName(decodeURIComponent(namespace)).clear();
      return Response.json({ status: "deleted" });
    }
    return new Response("Not Found", { status: 404 });
  },
} satisfies ExportedHandler<Env>;

function isOperator(request: Request, env: Env): boolean {
  const given = request.headers.get("authorization") ?? "";
  return (
    env.RELAYKEY_PLATFORM_TOKEN !== "" &&
    equalBytes(utf8(given), utf8(`Bearer ${env.RELAYKEY_PLATFORM_TOKEN}`))
  );
}

/** Alarms survive a restart; this starts what has none yet, and what waits since before its consumer existed. */
async function start(env: Env): Promise<Response> {
  await env.CRON_CLOCK.getByName("clock").start();
  await Promise.all(
    Object.keys(readLayout(env).queues).map((queue) => env.QUEUE_STORE.getByName(queue).wake()),
  );
  return Response.json({ status: "started" });
}

async function backlogs(env: Env): Promise<Response> {
  const entries = Object.keys(readLayout(env).queues).map(
    async (queue) => [queue, await env.QUEUE_STORE.getByName(queue).backlog()] as const,
  );
  return Response.json(Object.fromEntries(await Promise.all(entries)));
}
