import { newId } from "@relaykey/core/ids";
import { app } from "./app.tsx";
import { ConfigurationError, configure } from "./config.ts";
import type { Dependencies } from "./config.ts";
import { log } from "@relaykey/core/log";
import { buryMail, sendMail } from "./mail/consume.ts";

const DEAD_LETTERS = "relaykey-mail-dead";

let configured: Promise<Dependencies> | null = null;

/** Parses the environment once per isolate. */
function dependencies(env: Env): Promise<Dependencies> {
  return (configured ??= configure(env));
}

export default {
  async fetch(request, env): Promise<Response> {
    const requestId = newId();
    let deps: Dependencies;
    try {
      deps = await dependencies(env);
    } catch (error) {
      return notConfigured(error, requestId);
    }
    return app.fetch(request, { deps, requestId });
  },

  async queue(batch, env): Promise<void> {
    const deps = await dependencies(env);
    if (batch.queue === DEAD_LETTERS) await buryMail(batch.messages, deps);
    else await sendMail(batch.messages, deps);
  },
} satisfies ExportedHandler<Env>;

function notConfigured(error: unknown, requestId: string): Response {
  const detail =
    error instanceof ConfigurationError ? error.message : "The confirm Worker could not be configured.";
  log("error", "not_configured", { detail });
  return Response.json(
    {
      title: "The confirm Worker is not configured",
      status: 503,
      detail,
      code: "not_configured",
      request_id: requestId,
    },
    { status: 503, headers: { "RelayKey-Request-Id": requestId, "Cache-Control": "no-store" } },
  );
}
