import { WorkerEntrypoint } from "cloudflare:workers";
import { countOperation } from "../operations.ts";
import { MessageError, newBatch, newMessage } from "./messages.ts";
import type { NewMessage } from "./messages.ts";

/**
 * What a Worker's `queue` binding talks to. workerd turns `send` into `POST /message` (raw body, `X-Msg-Fmt`,
 * `X-Msg-Delay-Secs`) and `sendBatch` into `POST /batch` (JSON), and wants the backlog's metrics back.
 */
export class QueueProducer extends WorkerEntrypoint<Env, { queue: string; delaySeconds?: number }> {
  override async fetch(request: Request): Promise<Response> {
    const { queue } = this.ctx.props;
    const store = this.env.QUEUE_STORE.getByName(queue);
    try {
      const { pathname } = new URL(request.url);
      if (request.method === "GET" && pathname === "/metrics") return Response.json(await store.backlog());
      const messages = await this.#read(request, pathname);
      if (messages === null) return new Response("Not Found", { status: 404 });
      countOperation("queue message", messages.length);
      return Response.json({ metadata: { metrics: await store.enqueue(queue, messages) } });
    } catch (error) {
      if (error instanceof MessageError) return new Response(error.message, { status: error.status });
      throw error;
    }
  }

  async #read(request: Request, pathname: string): Promise<NewMessage[] | null> {
    if (request.method !== "POST") return null;
    const delay = request.headers.get("X-Msg-Delay-Secs") ?? this.ctx.props.delaySeconds;
    switch (pathname) {
      case "/message":
        return [newMessage(await request.arrayBuffer(), request.headers.get("X-Msg-Fmt"), delay)];
      case "/batch":
        return newBatch(await request.text(), delay);
      default:
        return null;
    }
  }
}
