import { Option } from "commander";
import type { Command } from "commander";
import { query } from "../client.ts";
import { pageOptions, withContext } from "../context.ts";
import type { PageOptions } from "../context.ts";
import { AUDIT_COLUMNS } from "../audit/columns.ts";
import { EXPORT_FORMATS, exportEvents } from "../audit/export.ts";
import type { ExportFormat } from "../audit/export.ts";
import { tail } from "../audit/tail.ts";
import { printList } from "../output.ts";
import { moment } from "../selection-options.ts";

interface FilterOptions {
  readonly key?: string;
  readonly integration?: string;
  readonly decision?: string;
  readonly reason?: string;
  readonly requestId?: string;
  readonly from?: string;
  readonly to?: string;
}

interface ExportOptions extends FilterOptions {
  readonly format: ExportFormat;
}

export function addAuditCommands(program: Command): void {
  const group = program.command("audit").description("what was asked of the proxy, and what came of it");

  const list = group.command("list", { isDefault: true }).alias("query");
  timeOptions(filterOptions(pageOptions(list.description("list events, newest first")))).action(
    withContext(async (context, { limit, cursor, ...options }: FilterOptions & PageOptions) => {
      const search = query({ limit, cursor, ...readFilter(options) });
      printList(context.printer, await context.call("GET", `/audit-events${search}`), AUDIT_COLUMNS);
    }),
  );

  filterOptions(group.command("tail").description("follow events as they come, until Ctrl-C")).action(
    withContext(async (context, options: FilterOptions) => {
      await tail(context, readFilter(options));
    }),
  );

  timeOptions(filterOptions(group.command("export")))
    .description("write all events that fit to standard output, newest first")
    .addOption(
      new Option("--format <format>", "a line of JSON each, or CSV").choices(EXPORT_FORMATS).default("jsonl"),
    )
    .action(
      withContext(async (context, { format, ...options }: ExportOptions) => {
        await exportEvents(context, readFilter(options), format);
      }),
    );
}

function filterOptions(command: Command): Command {
  return command
    .option("--key <id>", "under this key only")
    .option("--integration <integration>", "to this integration only")
    .addOption(new Option("--decision <decision>", "only these").choices(["allowed", "blocked"]))
    .option("--reason <reason>", "blocked for this reason only")
    .option("--request-id <id>", "this request only: the RelayKey-Request-Id of an answer");
}

function timeOptions(command: Command): Command {
  return command
    .option("--from <when>", "at or after: a time such as 2027-01-31T12:00:00Z, or so long ago such as 2h")
    .option("--to <when>", "at or before");
}

function readFilter({ requestId, from, to, ...same }: FilterOptions): Record<string, string | undefined> {
  return {
    ...same,
    request_id: requestId,
    from: moment("--from", from, -1),
    to: moment("--to", to, -1),
  };
}
