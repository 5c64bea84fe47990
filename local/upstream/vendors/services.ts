import { missingFile, uploaded } from "../reply.ts";

/** The vendors of services: payments, mail, infrastructure, code, chat, telephony. */

const idempotent = new Map<string, string>();

export async function stripe(request: Request, path: string): Promise<Response | null> {
  const headers = { "request-id": "req_demo", "stripe-version": request.headers.get("stripe-version") ?? "" };
  if (request.method === "GET" && path === "/v1/customers") {
    const data = [{ id: "cus_demo", object: "customer", email: "jenny@example.com" }];
    return Response.json({ object: "list", data, has_more: false, url: path }, { headers });
  }
  const create = request.method === "POST" && /^\/v1\/(customers|payment_intents)$/.exec(path);
  if (create === null || create === false) return null;
  const form = Object.fromEntries(new URLSearchParams(await request.text()));
  const key = request.headers.get("idempotency-key");
  const object = create[1] === "customers" ? "customer" : "payment_intent";
  const id = (key === null ? undefined : idempotent.get(key)) ?? `${object}_${crypto.randomUUID()}`;
  const replayed = key !== null && idempotent.has(key);
  if (key !== null) idempotent.set(key, id);
  return Response.json(
    { id, object, ...form, metadata: { idempotency_key: key } },
    { headers: replayed ? { ...headers, "idempotent-replayed": "true" } : headers },
  );
}

export async function resend(request: Request, path: string): Promise<Response | null> {
  if (request.method !== "POST" || path !== "/emails") return null;
  const mail: { to?: unknown } = await request.json();
  if (mail.to === undefined) {
    return Response.json(
      { name: "missing_required_field", message: "to is missing", statusCode: 422 },
      { status: 422 },
    );
  }
  // Resend repeats its answer for a repeated key.
  const key = request.headers.get("idempotency-key");
  const id = (key === null ? undefined : idempotent.get(`resend ${key}`)) ?? crypto.randomUUID();
  if (key !== null) idempotent.set(`resend ${key}`, id);
  return Response.json({ id });
}

export async function cloudflare(request: Request, path: string): Promise<Response | null> {
  if (request.method === "POST" && /^\/client\/v4\/accounts\/[^/]+\/images\/v1$/.test(path)) {
    const file = await uploaded(request, "file");
    if (file === null) return missingFile("file");
    const result = { id: "image-demo", filename: file.name, meta: { bytes: file.size } };
    return Response.json({ success: true, errors: [], messages: [], result });
  }
  if (request.method !== "GET" || path !== "/client/v4/zones") return null;
  return Response.json({
    success: true,
    errors: [],
    messages: [],
    result: [{ id: "0".repeat(32), name: "example.com", status: "active" }],
    result_info: { page: 1, per_page: 20, count: 1, total_count: 1, total_pages: 1 },
  });
}

export async function github(request: Request, path: string): Promise<Response | null> {
  if (request.method === "GET" && path === "/user") return Response.json({ login: "octocat", id: 1 });
  if (request.method === "GET" && /^\/repos\/[^/]+\/[^/]+$/.test(path)) {
    const [, , owner = "", repo = ""] = path.split("/");
    return Response.json({ id: 1, name: repo, full_name: `${owner}/${repo}` });
  }
  if (request.method === "POST" && /^\/repos\/[^/]+\/[^/]+\/issues$/.test(path)) {
    const issue: { title?: string } = await request.json();
    return Response.json({ number: 7, title: issue.title, state: "open" }, { status: 201 });
  }
  if (request.method === "POST" && /^\/repos\/[^/]+\/[^/]+\/releases\/\d+\/assets$/.test(path)) {
    const { byteLength } = await request.arrayBuffer();
    const name = new URL(request.url).searchParams.get("name");
    return Response.json({ id: 1, name, size: byteLength, state: "uploaded" }, { status: 201 });
  }
  return null;
}

export async function slack(request: Request, path: string): Promise<Response | null> {
  if (request.method === "POST" && path === "/api/users.setPhoto") {
    const image = await uploaded(request, "image");
    if (image === null) return Response.json({ ok: false, error: "no_image" });
    return Response.json({ ok: true, profile: { avatar_hash: String(image.size) } });
  }
  if (request.method !== "POST" || path !== "/api/chat.postMessage") return null;
  const form = new URLSearchParams(await request.text());
  return Response.json({
    ok: true,
    channel: form.get("channel"),
    ts: "1700000000.000100",
    message: { text: form.get("text") },
  });
}

export async function twilio(request: Request, path: string): Promise<Response | null> {
  const match = /^\/2010-04-01\/Accounts\/([^/]+)\/Messages\.json$/.exec(path);
  if (request.method !== "POST" || match === null) return null;
  const form = new URLSearchParams(await request.text());
  return Response.json(
    {
      sid: `SM${"0".repeat(32)}`,
      account_sid: match[1],
      body: form.get("Body"),
      to: form.get("To"),
      status: "queued",
    },
    { status: 201 },
  );
}
