import { renderRefusal } from "@relaykey/core/refusal";
import type { SecretMatcher } from "@relaykey/core/scrub/matcher";
import type { Dependencies } from "./config.ts";
import { relayBody } from "./download.ts";
import type { BodyEnd } from "./download.ts";
import type { Keep, LeaseSubject } from "./lease-book.ts";
import { describeError, log } from "./log.ts";
import { refused } from "./outcome.ts";
import type { Refused } from "./outcome.ts";
import { callerResponse } from "./respond.ts";
import { send } from "./steps/forward.ts";
import type { Answer, Exchange } from "./steps/forward.ts";
import { readToken } from "./steps/grant.ts";
import { inject } from "./steps/inject.ts";
import { readIntake } from "./steps/intake.ts";
import { admit, decide } from "./steps/lease.ts";
import { judge } from "./steps/policy.ts";
import { record } from "./steps/record.ts";
import type { Ending, Trail } from "./steps/record.ts";
import { declaredLength } from "./upload.ts";
import { watch } from "./watch.ts";
import { bridgeSockets } from "./websocket.ts";

/** Times a request is decided again because its lease lapsed while the vendor key was being opened. */
const MAX_ATTEMPTS = 4;

/** nginx's number for "the client closed the request": there was nobody left to send a status to. */
const CLIENT_CLOSED_REQUEST = 499;

/**
 * The story of a request, in seven steps: intake, grant, policy, lease, inject, forward, record. Each request is recorded
 * once, whatever happens; a bug becomes `internal_error`, closed.
 */
export async function relay(
  request: Request,
  requestId: string,
  deps: Dependencies,
  keep: Keep,
): Promise<Response> {
  const intake = readIntake(request, requestId, Date.now(), deps);
  const trail: Trail = { intake, known: null, dropped: [] };
  try {
    const result = await decideAndSend(request, trail, deps, keep);
    return result instanceof Response ? result : refuse(request, trail, result, deps, keep);
  } catch (error) {
    log("error", "internal_error", { request_id: requestId, error: describeError(error) });
    return refuse(request, trail, refused("internal_error"), deps, keep);
  }
}

async function decideAndSend(
  request: Request,
  trail: Trail,
  deps: Dependencies,
  keep: Keep,
): Promise<Response | Refused> {
  const { intake } = trail;
  const parts = { directory: deps.directory, leases: deps.leases, now: Date.now };
  const token = await readToken(intake, deps);
  if (!token.ok) return token;
  const subject = token.value;

  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const decision = await decide(subject, intake, parts, keep);
    trail.known = deps.directory.known(subject.hash);
    if (!decision.ok) return decision;
    const { known } = decision.value;

    const tooLarge = bodyTooLarge(request, known.snapshot.limits.maxBodyBytes);
    if (tooLarge !== null) return tooLarge;
    const call = await inject(request, intake, known, deps);
    if (!call.ok) return call;
    trail.dropped = call.value.dropped;

    const admitted = admit(subject, intake, decision.value, parts);
    if (admitted === "lapsed") continue;
    if (!admitted.ok) return admitted;
    // No await between the check above and the call of `fetch` inside `send`.
    const exchange = send(
      request,
      call.value,
      known.snapshot.integration.upstream.timeoutMs,
      known.snapshot.limits.maxBodyBytes,
    );
    return receive(request, subject, trail, exchange, call.value.matcher, deps, keep);
  }
  return refused("no_decision");
}

/** Step 6, second half: the vendor's answer on its way to the caller, watched over while it is open. */
async function receive(
  request: Request,
  subject: LeaseSubject,
  trail: Trail,
  exchange: Exchange,
  matcher: SecretMatcher | null,
  deps: Dependencies,
  keep: Keep,
): Promise<Response | Refused> {
  const { intake, known } = trail;
  if (known === null) throw new Error("A request was sent without a known key.");
  const { leases, directory } = deps;
  const duty = {
    subject,
    known: () => directory.known(subject.hash),
    judge: (newest: typeof known) => judge(newest, intake, Date.now()),
    refresh: leases.refresh.bind(leases),
    isCurrent: leases.isCurrent.bind(leases),
    keep,
  };

  // The upload is watched as well: a key that ends while a body is under way ends the upload.
  const watching = watch(duty);
  const answer: Answer = await Promise.race([
    exchange.answer,
    watching.refusal.then((refusal): Answer => {
      exchange.abort();
      return { kind: "refused", refusal };
    }),
  ]);
  if (answer.kind !== "response") watching.end();
  if (answer.kind === "refused") return answer.refusal;
  if (answer.kind === "client_disconnected") {
    const ending = {
      reason: null,
      outcome: "client_disconnected",
      upstreamStatus: null,
      bytesOut: 0,
    } as const;
    keep(finish(trail, { ...ending, status: CLIENT_CLOSED_REQUEST, bytesIn: exchange.upload.bytes() }, deps));
    return new Response(null, { status: CLIENT_CLOSED_REQUEST });
  }

  const upstream = answer.response;
  if (matcher !== null && !isReadable(upstream.headers)) {
    watching.end();
    exchange.abort();
    return refused("upstream_encoding");
  }
  const flow =
    upstream.webSocket === null
      ? await relayBody(upstream, request.method, request.signal, matcher)
      : bridgeSockets(upstream.webSocket, matcher);
  let cutFor: Refused | null = null;
  void watching.refusal.then((refusal) => {
    cutFor = refusal;
    flow.cut();
    exchange.abort();
  });
  keep(
    flow.end.then((end) => {
      watching.end();
      return finish(trail, ended(upstream, end, cutFor, exchange), deps);
    }),
  );
  return callerResponse(upstream, flow, intake, known.snapshot, matcher);
}

function ended(upstream: Response, end: BodyEnd, refusal: Refused | null, exchange: Exchange): Ending {
  return {
    reason: end.outcome === "cut" ? (refusal?.reason ?? null) : null,
    outcome: end.outcome,
    status: upstream.status,
    upstreamStatus: upstream.status,
    bytesIn: exchange.upload.bytes(),
    bytesOut: end.bytes,
  };
}

function refuse(request: Request, trail: Trail, refusal: Refused, deps: Dependencies, keep: Keep): Response {
  const { status, headers, body } = renderRefusal(refusal.reason, {
    requestId: trail.intake.requestId,
    docsBase: deps.docsUrl,
    dialect: trail.known?.snapshot.integration.dialect ?? "plain",
    accept: request.headers.get("accept"),
    method: request.method,
    ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
    ...(refusal.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: refusal.retryAfterSeconds }),
  });
  const sent = new TextEncoder().encode(body);
  const ending: Ending = {
    reason: refusal.reason,
    outcome: "completed",
    status,
    upstreamStatus: null,
    bytesIn: declaredLength(request.headers) ?? 0,
    bytesOut: sent.byteLength,
  };
  keep(finish(trail, ending, deps));
  return new Response(sent.byteLength === 0 ? null : sent, { status, headers });
}

function finish(trail: Trail, ending: Ending, deps: Dependencies): Promise<void> {
  return record(trail, ending, deps.audit, Date.now());
}

function bodyTooLarge(request: Request, maxBytes: number | null): Refused | null {
  const length = declaredLength(request.headers);
  return maxBytes !== null && length !== null && length > maxBytes ? refused("body_too_large") : null;
}

/** Codings that workerd undoes before a body is read; the request asked for none at all. */
const READABLE_CODINGS: ReadonlySet<string> = new Set(["identity", "gzip", "x-gzip", "br"]);

/** What cannot be read cannot be searched for the vendor key, so it is not handed on. */
function isReadable(headers: Headers): boolean {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  return coding === "" || READABLE_CODINGS.has(coding);
}
