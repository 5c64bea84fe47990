import { BLOCK_REASONS } from "./block-reasons.ts";
import type { BlockReason, BlockReasonRow } from "./block-reasons.ts";
import type { Dialect } from "./integration.ts";

/** What a refusal is rendered for. */
export interface RefusalContext {
  readonly requestId: string;
  /** The documentation page of block reasons; the reason's code is appended as a fragment. */
  readonly docsBase: string;
  readonly dialect: Dialect;
  /** The caller's Accept field. */
  readonly accept: string | null;
  readonly method: string;
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
  /** Further members of the body (RFC 9457 §3.2). */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** An answer, ready to be sent. */
export interface RenderedRefusal {
  readonly status: number;
  readonly headers: [name: string, value: string][];
  /** Empty for HEAD. */
  readonly body: string;
}

/**
 * Renders a refusal so that people, problem+json clients (RFC 9457) and the vendors' SDKs all see what happened: an SDK
 * that finds no `error` may take a refusal for success, and one that may retry would repeat what cannot succeed.
 */
export function renderRefusal(reason: BlockReason, context: RefusalContext): RenderedRefusal {
  const row: BlockReasonRow = BLOCK_REASONS[reason];
  const status = dialectStatus(row.status, context.dialect);
  const text = dialectBody(row, status, context);
  const retryAfter = context.retryAfterSeconds ?? row.retryAfterSeconds;
  const headers: [string, string][] = [
    ["Content-Type", contentType(context)],
    ["Cache-Control", "no-store"],
    ["RelayKey-Request-Id", context.requestId],
    ["X-Content-Type-Options", "nosniff"],
  ];
  if (row.status === 401)
    headers.push(["WWW-Authenticate", `Bearer realm="RelayKey", error="invalid_token"`]);
  if (retryAfter !== null) headers.push(["Retry-After", String(retryAfter)]);
  if (!row.retryable) headers.push(["x-should-retry", "false"], ["stripe-should-retry", "false"]);
  return { status, headers, body: context.method === "HEAD" ? "" : text };
}

/** Slack's client takes every other status for a fault of the network; Octokit's retries 423 and 413. */
function dialectStatus(status: number, dialect: Dialect): number {
  if (dialect === "slack") return 200;
  if (dialect === "octokit" && (status === 423 || status === 413)) return 403;
  return status;
}

function dialectBody(row: BlockReasonRow, status: number, context: RefusalContext): string {
  const message = `${row.title}. ${context.detail ?? row.detail}`;
  switch (context.dialect) {
    case "slack":
      return JSON.stringify({
        ok: false,
        error: row.code,
        message,
        // What their client writes to its log: the error that it throws holds the code alone.
        response_metadata: { messages: [`[ERROR] ${message}`] },
        ...problem(row, row.status, context),
      });
    case "aws":
      return awsError(row.code, message, context.requestId);
    case "plain":
    case "octokit":
      return JSON.stringify({
        ...problem(row, status, context),
        message,
        errors: [{ code: row.code, message }],
        error: { message, type: row.code, code: row.code },
      });
  }
}

/** The members of RFC 9457 §3.1, and ours. */
function problem(row: BlockReasonRow, status: number, context: RefusalContext): Record<string, unknown> {
  return {
    ...context.members,
    type: `${context.docsBase}#${row.code}`,
    title: row.title,
    status,
    detail: context.detail ?? row.detail,
    code: row.code,
    request_id: context.requestId,
  };
}

/** The error document of AWS's REST-XML and query protocols. */
function awsError(code: string, message: string, requestId: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><ErrorResponse><Error><Type>Sender</Type><Code>${escapeXml(code)}</Code>` +
    `<Message>${escapeXml(message)}</Message></Error><RequestId>${escapeXml(requestId)}</RequestId></ErrorResponse>`
  );
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function contentType({ dialect, accept }: RefusalContext): string {
  if (dialect === "aws") return "application/xml";
  return accept?.includes("application/problem+json") === true
    ? "application/problem+json"
    : "application/json";
}
