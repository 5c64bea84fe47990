import { WorkerEntrypoint } from "cloudflare:workers";
import { assetFolder, workerHandlers } from "../config.ts";
import { contentType } from "./content-type.ts";

type Props = { worker: string };

/** What a Worker's ASSETS binding talks to: the files of its build, and 404 for all else. */
export class StaticAssets extends WorkerEntrypoint<Env, Props> {
  override async fetch(request: Request): Promise<Response> {
    const file = await readAsset(this.env, this.ctx.props.worker, request);
    return file ?? new Response("Not Found", { status: 404 });
  }
}

/** What stands before a Worker with static assets: a file where there is one, else the Worker, as on Cloudflare. */
export class AssetsFirst extends WorkerEntrypoint<Env, Props> {
  override async fetch(request: Request): Promise<Response> {
    const { worker } = this.ctx.props;
    const file = await readAsset(this.env, worker, request);
    return file ?? workerHandlers(this.env, worker).fetch(request);
  }
}

async function readAsset(env: Env, worker: string, request: Request): Promise<Response | null> {
  if (request.method !== "GET" && request.method !== "HEAD") return null;
  const { pathname } = new URL(request.url);
  if (pathname.endsWith("/")) return null;
  const file = await assetFolder(env, worker).fetch(`http://files${pathname}`, { method: request.method });
  // A folder comes as a JSON listing; files come as bytes.
  if (file.status !== 200 || file.headers.get("content-type") !== "application/octet-stream") {
    await file.body?.cancel();
    return null;
  }
  const headers = new Headers({
    "Content-Type": contentType(pathname),
    "X-Content-Type-Options": "nosniff",
    // The build puts a hash of the contents into the names under /assets/.
    "Cache-Control": pathname.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
  });
  const length = file.headers.get("content-length");
  if (length !== null) headers.set("Content-Length", length);
  return new Response(file.body, { headers });
}
