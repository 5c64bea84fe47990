import type { AppLoadContext, EntryContext, HandleErrorFunction } from "@remix-run/cloudflare";
import { RemixServer } from "@remix-run/react";
import { renderToString } from "react-dom/server";
import { describeError } from "@relaykey/core/log";
import { NonceContext } from "./components/nonce.ts";

/**
 * A page is made as one text and sent at once: no loader leaves anything for later. React's stream would turn each attribute
 * into bytes by itself and send them by the half kilobyte, which takes a Worker longer than making the page.
 */
export default async function handleRequest(
  request: Request,
  status: number,
  headers: Headers,
  { serverHandoffStream, ...remixContext }: EntryContext,
  { nonce }: AppLoadContext,
): Promise<Response> {
  const page = renderToString(
    <NonceContext.Provider value={nonce}>
      <RemixServer context={remixContext} url={request.url} nonce={nonce} />
    </NonceContext.Provider>,
  );
  const end = page.lastIndexOf("</body>");
  headers.set("Content-Type", "text/html; charset=utf-8");
  return new Response(
    `<!DOCTYPE html>${page.slice(0, end)}${await handOff(serverHandoffStream, nonce)}${page.slice(end)}`,
    { status, headers },
  );
}

/** The script that gives the browser what the loaders returned: what `RemixServer` would write into a stream. */
async function handOff(stream: EntryContext["serverHandoffStream"], nonce: string): Promise<string> {
  if (stream === undefined) return "";
  const data = JSON.stringify(await new Response(stream).text()).replaceAll(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const controller = "__remixContext.streamController";
  return `<script nonce="${nonce}">${controller}.enqueue(${data});${controller}.close();</script>`;
}

/** Remix would print the error whole, with what it quotes; only its name and place are logged. */
export const handleError: HandleErrorFunction = (error, { request, context }) => {
  if (request.signal.aborted) return;
  const { pathname } = new URL(request.url);
  context.deps.log("error", "page_failed", { path: pathname, error: describeError(error) });
};
