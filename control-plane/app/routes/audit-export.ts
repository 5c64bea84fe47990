import type { LoaderFunctionArgs } from "@remix-run/cloudflare";
import { EXPORT_TYPES, exportStream, proofStream } from "../../api/audit-export.ts";
import { exportAuditEvents } from "../../service/audit.ts";
import { exportAuditProof } from "../../service/audit-proof.ts";
import { readAuditFilter } from "../.server/audit-filter.ts";
import { enter, unwrap } from "../.server/page.ts";

/** The audit log as its address filters it, as a file. A filter that makes no sense would export more than was asked for. */
export async function loader(args: LoaderFunctionArgs): Promise<Response> {
  const { deps, caller, url } = await enter(args, "audit.read");
  const format = url.searchParams.get("format") ?? "";
  if (format !== "proof" && !isFormat(format)) return wrong("Give the format: csv, ndjson or proof.");
  const { query, range, errors } = readAuditFilter(url.searchParams, deps.now());
  const [error] = errors;
  if (error !== undefined) return wrong(`${error.field}: ${error.message}`);
  const { from, to } = range;
  const wanted = { ...query, from, to };
  const { type, fileName, body } =
    format === "proof"
      ? proofStream(unwrap(await exportAuditProof(deps, caller, wanted)))
      : exportStream(unwrap(await exportAuditEvents(deps, caller, wanted, null)), format);
  return new Response(body, {
    headers: { "Content-Type": type, "Content-Disposition": `attachment; filename="${fileName}"` },
  });
}

function isFormat(format: string): format is keyof typeof EXPORT_TYPES {
  return Object.hasOwn(EXPORT_TYPES, format);
}

function wrong(sentence: string): Response {
  return new Response(sentence, { status: 400, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
