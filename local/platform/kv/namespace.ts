import { WorkerEntrypoint } from "cloudflare:workers";
import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from "@relaykey/core/bytes";
import { countOperation } from "../operations.ts";
import type { KvEntry, KvStore } from "./store.ts";

/** KV's own limit of a key (developers.cloudflare.com/kv/platform/limits). */
const MAX_NAME_BYTES = 512;
/** The most a SQLite object stores in one row; KV itself takes 25 MiB. */
const MAX_VALUE_BYTES = 2_000_000;
/** KV refuses to forget earlier than this. */
const MIN_TTL_SECONDS = 60;
const MAX_LIST = 1_000;

/**
 * What a Worker's `kvNamespace` binding talks to. workerd turns the binding's methods into HTTP:
 * `GET|PUT|DELETE /NAME?urlencoded=true`, and `GET /?key_count_limit=&prefix=&cursor=` for a listing.
 */
export class KvNamespace extends WorkerEntrypoint<Env, { namespace: string }> {
  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const store = this.env.KV_STORE.getByName(this.ctx.props.namespace);
    if (url.pathname === "/" && request.method === "GET") {
      countOperation("kv list");
      return list(store, url.searchParams);
    }
    const name = decodeURIComponent(url.pathname.slice(1));
    if (utf8(name).length > MAX_NAME_BYTES) return refuse(414, "The key is longer than 512 bytes.");
    countOperation(`kv ${request.method.toLowerCase()}`);
    switch (request.method) {
      case "GET":
        return read(store, name);
      case "PUT":
        return write(store, name, url.searchParams, request);
      case "DELETE":
        await store.remove(name);
        return new Response(null);
      default:
        // Such as a bulk read. While nobody reads its body, workerd waits and shows the answer to no one.
        await request.arrayBuffer();
        return refuse(501, "The local edition's KV knows get, put, delete and list, one key at a time.");
    }
  }
}

/** The status line is all that the binding's error tells of an answer. */
function refuse(status: number, sentence: string): Response {
  return new Response(sentence, { status, statusText: sentence });
}

type Store = DurableObjectStub<KvStore>;

async function read(store: Store, name: string): Promise<Response> {
  const entry: KvEntry | null = await store.read(name);
  if (entry === null) return new Response("Not Found", { status: 404 });
  const headers = new Headers();
  if (entry.expiration !== null) headers.set("CF-Expiration", String(entry.expiration));
  if (entry.metadata !== null) headers.set("CF-KV-Metadata", entry.metadata);
  return new Response(entry.value, { headers });
}

async function write(
  store: Store,
  name: string,
  query: URLSearchParams,
  request: Request,
): Promise<Response> {
  const value = await request.arrayBuffer();
  if (value.byteLength > MAX_VALUE_BYTES) {
    return refuse(413, `The local edition's KV takes values of up to ${String(MAX_VALUE_BYTES)} bytes.`);
  }
  const expiration = expirationOf(query);
  if (expiration === "invalid") {
    return refuse(400, `An expiration must lie at least ${String(MIN_TTL_SECONDS)} seconds ahead.`);
  }
  await store.write(name, { value, expiration, metadata: request.headers.get("CF-KV-Metadata") });
  return new Response(null);
}

function expirationOf(query: URLSearchParams): number | null | "invalid" {
  const now = Math.floor(Date.now() / 1000);
  const ttl = query.get("expiration_ttl");
  const absolute = query.get("expiration");
  if (ttl === null && absolute === null) return null;
  const expiration = ttl === null ? Number(absolute) : now + Number(ttl);
  return Number.isInteger(expiration) && expiration >= now + MIN_TTL_SECONDS ? expiration : "invalid";
}

async function list(store: Store, query: URLSearchParams): Promise<Response> {
  const limit = Math.min(Number(query.get("key_count_limit") ?? MAX_LIST), MAX_LIST);
  const cursor = query.get("cursor") ?? "";
  const after = fromBase64Url(cursor);
  if (!Number.isInteger(limit) || limit < 1 || after === null) {
    return refuse(400, "The limit or the cursor of the listing is invalid.");
  }
  const { keys, complete } = await store.list(query.get("prefix") ?? "", fromUtf8(after) ?? "", limit);
  const last = keys.at(-1);
  return Response.json({
    keys: keys.map(({ name, expiration, metadata }) => ({
      name,
      ...(expiration === null ? {} : { expiration }),
      ...(metadata === null ? {} : { metadata }),
    })),
    list_complete: complete,
    ...(complete || last === undefined ? {} : { cursor: toBase64Url(utf8(last.name)) }),
    cacheStatus: null,
  });
}
