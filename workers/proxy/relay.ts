import { rateLimitFields } from "@relaykey/core/rate-limit-fields";
import { renderRefusal } from "@relaykey/core/refusal";
import type { SecretMatcher } from "@relaykey/core/scrub/matcher";
import type { PolicySnapshot } from "@relaykey/core/snapshot";
import type { Dependencies } from "./config.ts";
import { relayBody } from "./download.ts";
import type { BodyEnd } from "./download.ts";
import { rateStatus } from "./start-lease.ts";
import type { Keep } from "./lease-book.ts";
import type { LeaseSubject, StartLease } from "./start-lease.ts";
import { describeError, log } from "@relaykey/core/log";
import { refused } from "./outcome.ts";
import type { Refused } from "./outcome.ts";
import { callerResponse } from "./respond.ts";
import { send } from "./steps/forward.ts";
import type { Answer, Exchange } from "./steps/forward.ts";
import { readToken } from "./steps/grant.ts";
import { inject, openVendorKey } from "./steps/inject.ts";
import { readIntake } from "./steps/intake.ts";
import { admit, decide, outrun, watchDuty } from "./steps/lease.ts";
import { record } from "./steps/record.ts";
import type { Ending, Trail } from "./steps/record.ts";
import { declaredLength } from "./upload.ts";
import { watch } from "./watch.ts";
import type { Watch } from "./watch.ts";
import { bridgeSockets } from "./websocket.ts";

/** Times a request is decided again because its lease lapsed, or others were faster, while the vendor key was opened. */
const MAX_ATTEMPTS = 16;

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

    const maxBodyBytes = leastBodyBytes(known.snapshot);
    const tooLarge = bodyTooLarge(request, maxBodyBytes);
    if (tooLarge !== null) return tooLarge;
    const call = await inject(request, intake, known, deps, keep);
    if (!call.ok) return call;
    if (Date.now() >= call.value.until) continue;
    trail.dropped = call.value.dropped;

    const admitted = admit(subject, intake, decision.value, parts);
    if (admitted === "lapsed") continue;
    if (!admitted.ok) return admitted;
    const { network } = admitted.value.ip;
    const { lease } = decision.value;
    // No await between the check above and the call of `fetch` inside `send`.
    let exchange: Exchange;
    try {
      exchange = send(request, call.value, known.snapshot.integration.upstream.timeoutMs, maxBodyBytes);
    } catch (error) {
      if (lease !== null) deps.leases.land(subject, network, lease, keep);
      throw error;
    }
    return receive(
      request,
      { subject, network, lease, exchange, matcher: call.value.matcher },
      trail,
      deps,
      keep,
    );
  }
  return outrun(subject, intake, parts);
}

/** A request that was let through, on its way. */
interface Passage {
  readonly subject: LeaseSubject;
  readonly network: string;
  readonly lease: StartLease | null;
  readonly exchange: Exchange;
  readonly matcher: SecretMatcher | null;
}

/** Step 6, second half: the vendor's answer on its way to the caller, watched over while it is open. */
async function receive(
  request: Request,
  passage: Passage,
  trail: Trail,
  deps: Dependencies,
  keep: Keep,
): Promise<Response | Refused> {
  const { exchange } = passage;
  const { leases } = deps;
  const parts = { directory: deps.directory, leases, now: Date.now };
  const watching = watch({
    ...watchDuty(passage.subject, passage.network, trail.intake, parts, keep),
    opens: (known) => openVendorKey(known, deps.opener, keep),
  });
  let isOver = false;
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    watching.end();
    const { subject, network, lease } = passage;
    if (lease !== null) leases.land(subject, network, lease, keep);
  };
  try {
    // The upload is watched as well: a key that ends while a body is under way ends the upload.
    const answer: Answer = await Promise.race([
      exchange.answer,
      watching.refusal.then((refusal): Answer => ({ kind: "refused", refusal })),
    ]);
    if (answer.kind === "response" && isReadable(answer.response.headers, passage.matcher)) {
      return await handOn(request, answer.response, passage, watching, over, trail, deps, keep);
    }
    over();
    if (answer.kind !== "client_disconnected") exchange.abort();
    if (answer.kind === "response") return refused("upstream_encoding");
    if (answer.kind === "refused") return answer.refusal;
    const ending = {
      reason: null,
      outcome: "client_disconnected",
      upstreamStatus: null,
      bytesOut: 0,
    } as const;
    keep(finish(trail, { ...ending, status: CLIENT_CLOSED_REQUEST, bytesIn: exchange.upload.bytes() }, deps));
    return new Response(null, { status: CLIENT_CLOSED_REQUEST });
  } catch (error) {
    over();
    exchange.abort();
    throw error;
  }
}

/** Relays the vendor's answer; when it ends, by itself or cut, the request is over and recorded. */
async function handOn(
  request: Request,
  upstream: Response,
  { exchange, matcher, lease }: Passage,
  watching: Watch,
  over: () => void,
  trail: Trail,
  deps: Dependencies,
  keep: Keep,
): Promise<Response> {
  const { intake, known } = trail;
  if (known === null) throw new Error("A request was sent without a known key.");
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
      over();
      return finish(trail, ended(upstream, end, cutFor, exchange), deps);
    }),
  );
  const rate = lease === null ? null : rateStatus(lease, Date.now());
  return callerResponse(upstream, flow, intake, known.snapshot, { matcher, rate });
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
    ...(refusal.members === undefined ? {} : { members: refusal.members }),
    ...(refusal.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: refusal.retryAfterSeconds }),
  });
  if (refusal.rate !== undefined) headers.push(...rateLimitFields(refusal.rate));
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

/** The smaller of what the key and its holder may send; null = not limited. */
function leastBodyBytes({ limits, holder }: PolicySnapshot): number | null {
  const least = Math.min(limits.maxBodyBytes ?? Infinity, holder.limits.maxBodyBytes ?? Infinity);
  return least === Infinity ? null : least;
}

function bodyTooLarge(request: Request, maxBytes: number | null): Refused | null {
  const length = declaredLength(request.headers);
  return maxBytes !== null && length !== null && length > maxBytes ? refused("body_too_large") : null;
}

/** Codings that workerd undoes before a body is read; the request asked for none at all. */
const READABLE_CODINGS: ReadonlySet<string> = new Set(["identity", "gzip", "x-gzip", "br"]);

/** What cannot be read cannot be searched for the vendor key, so it is not handed on. */
function isReadable(headers: Headers, matcher: SecretMatcher | null): boolean {
  if (matcher === null) return true;
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  return coding === "" || READABLE_CODINGS.has(coding);
}
