import { refused } from "../outcome.ts";
import type { Refused } from "../outcome.ts";
import { meterUpload } from "../upload.ts";
import type { Upload } from "../upload.ts";
import type { UpstreamCall } from "./inject.ts";

/** A request on its way to the vendor. */
export interface Exchange {
  /** Settles with the vendor's answer (headers), or with the refusal or hang-up that took its place. */
  readonly answer: Promise<Answer>;
  readonly upload: Upload;
  /** Ends the exchange: the upstream connection closes, also while a body is under way. */
  abort(): void;
}

export type Answer =
  | { readonly kind: "response"; readonly response: Response }
  | { readonly kind: "refused"; readonly refusal: Refused }
  | { readonly kind: "client_disconnected" };

/**
 * Step 6, first half. Calls `fetch` before it returns, so that the caller's last check and the start of the request
 * happen in one turn. Redirects are handed back, nothing is cached, both bodies are streamed.
 *
 * @param timeoutMs until the response headers are there, upload included.
 */
export function send(
  request: Request,
  call: UpstreamCall,
  timeoutMs: number,
  maxBodyBytes: number | null,
): Exchange {
  const controller = new AbortController();
  const upload = meterUpload(request, maxBodyBytes);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort();
  }, timeoutMs);
  const hangUp = (): void => {
    controller.abort();
  };
  request.signal.addEventListener("abort", hangUp);

  const response = fetch(call.url, {
    method: request.method,
    headers: call.headers,
    body: upload.body,
    redirect: "manual",
    cache: "no-store",
    signal: controller.signal,
  });

  const answer = response
    .then(
      (value): Answer => {
        // A vendor that answered although its request broke off has not been asked what the caller asked.
        if (upload.tooLarge()) return { kind: "refused", refusal: refused("body_too_large") };
        return { kind: "response", response: value };
      },
      (): Answer => {
        if (request.signal.aborted) return { kind: "client_disconnected" };
        if (upload.tooLarge()) return { kind: "refused", refusal: refused("body_too_large") };
        return { kind: "refused", refusal: refused(timedOut ? "upstream_timeout" : "upstream_unreachable") };
      },
    )
    .finally(() => {
      clearTimeout(timer);
    });
  return { answer, upload, abort: hangUp };
}
