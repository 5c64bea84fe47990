import { etagOf } from "./precondition.ts";
import type { Reply, Route, Stream } from "./route.ts";

/** The answer to what was done. Nothing the API says is for a cache. */
export async function respond(route: Route, done: Reply<unknown> | Stream): Promise<Response> {
  if ("body" in done) {
    return new Response(done.body, {
      headers: {
        "Content-Type": done.type,
        "Content-Disposition": `attachment; filename="${done.fileName}"`,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
      },
    });
  }
  return Response.json(done.json, {
    status: done.status ?? route.statuses[0],
    headers: {
      "Cache-Control": "no-store",
      ...(done.revision === undefined ? {} : { ETag: await etagOf(done) }),
    },
  });
}

/** Pending enforcement is accepted (202), not done. */
export function statusOf<S extends 200 | 201>(
  enforcement: { readonly state: "enforced" | "pending" },
  done: S,
): S | 202 {
  return enforcement.state === "pending" ? 202 : done;
}
