import { Option } from "commander";
import type { Command } from "commander";
import { query } from "../client.ts";
import { pageOptions, withContext } from "../context.ts";
import type { PageOptions } from "../context.ts";
import { printList } from "../output.ts";
import type { Column } from "../output.ts";

const COLUMNS: readonly Column[] = [
  ["TIME", (event) => event["at"]],
  ["DECISION", (event) => event["decision"]],
  ["REASON", (event) => event["reason"]],
  ["STATUS", (event) => event["status"]],
  ["INTEGRATION", (event) => event["integration"]],
  ["METHOD", (event) => event["method"]],
  ["PATH", (event) => event["path"]],
  ["IP", (event) => event["ip"]],
  ["MS", (event) => event["duration_ms"]],
  ["REQUEST", (event) => event["request_id"]],
];

interface AuditOptions extends PageOptions {
  readonly key?: string;
  readonly integration?: string;
  readonly decision?: string;
  readonly reason?: string;
  readonly requestId?: string;
  readonly from?: string;
  readonly to?: string;
}

export function addAuditCommands(program: Command): void {
  const group = program.command("audit").description("what was asked of the proxy, and what came of it");

  pageOptions(group.command("list", { isDefault: true }))
    .description("list events, newest first")
    .option("--key <id>", "under this key only")
    .option("--integration <integration>", "to this integration only")
    .addOption(new Option("--decision <decision>", "only these").choices(["allowed", "blocked"]))
    .option("--reason <reason>", "blocked for this reason only")
    .option("--request-id <id>", "this request only: the RelayKey-Request-Id of an answer")
    .option("--from <time>", "at or after, such as 2027-01-31T12:00:00Z")
    .option("--to <time>", "at or before")
    .action(
      withContext(async (context, { requestId, ...options }: AuditOptions) => {
        const search = query({ ...options, request_id: requestId });
        printList(context.printer, await context.call("GET", `/audit-events${search}`), COLUMNS);
      }),
    );
}
