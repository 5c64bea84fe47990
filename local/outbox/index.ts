import { WorkerEntrypoint } from "cloudflare:workers";
import type { OutboxApi, OutgoingMail } from "@relaykey/core/mail";
import type { Mailbox } from "./mailbox.ts";
import { listPage, mailDocument, mailPage, missingPage } from "./pages.ts";

export { Mailbox } from "./mailbox.ts";

/** The confirm Worker's way in. There is no other: nothing that speaks HTTP can put a mail here. */
export class Outbox extends WorkerEntrypoint<Env> implements OutboxApi {
  async deliver(mail: OutgoingMail): Promise<void> {
    await mailbox(this.env).keep(mail);
  }
}

/** Mail holds links that sign in: a site that has its own name point here (DNS rebinding) must not read it. */
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

export default {
  async fetch(request, env): Promise<Response> {
    const url = new URL(request.url);
    if (!LOOPBACK.has(url.hostname)) return new Response("Misdirected Request", { status: 421 });
    if (url.pathname === "/healthz") return Response.json({ status: "ok" });
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("Method Not Allowed", { status: 405, headers: { Allow: "GET, HEAD" } });
    }
    return answer(url, mailbox(env));
  },
} satisfies ExportedHandler<Env>;

async function answer(url: URL, mails: DurableObjectStub<Mailbox>): Promise<Response> {
  const recipient = url.searchParams.get("to") ?? "";
  if (url.pathname === "/") return page(listPage(await mails.list(recipient), recipient));
  if (url.pathname === "/messages") return json({ data: await mails.list(recipient) });
  const [, id = "", isDocument] = /^\/messages\/([^/]+?)(\/html)?$/.exec(url.pathname) ?? [];
  const known = decode(id);
  const mail = known === null ? null : await mails.find(known);
  if (mail === null) return page(missingPage(), 404);
  return isDocument === undefined ? page(mailPage(mail)) : page(mailDocument(mail), 200, MAIL_POLICY);
}

/** @returns null for what names no mail. */
function decode(segment: string): string | null {
  try {
    return segment === "" ? null : decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** The pages' own style and search form, and the mail in its frame. */
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/** A mail runs nothing and loads nothing; what it links to opens in a tab of its own. */
const MAIL_POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'";

function page(html: string, status = 200, policy = PAGE_POLICY): Response {
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": policy,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  };
  return new Response(html, { status, headers });
}

function json(value: unknown): Response {
  return Response.json(value, {
    headers: { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" },
  });
}

function mailbox(env: Env): DurableObjectStub<Mailbox> {
  return env.MAILBOX.get(env.MAILBOX.idFromName("mail"));
}
