import { Option } from "commander";
import type { Command } from "commander";
import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import { query } from "../client.ts";
import { pageOptions, withContext } from "../context.ts";
import type { PageOptions } from "../context.ts";
import { AUDIT_COLUMNS } from "../audit/columns.ts";
import { EXPORT_FORMATS, exportEvents } from "../audit/export.ts";
import type { ExportFormat } from "../audit/export.ts";
import { tail } from "../audit/tail.ts";
import { addAuditChainCommands } from "./audit-chain.ts";
import { printList } from "../output.ts";
import { moment } from "../selection-options.ts";

interface FilterOptions {
  readonly key?: string;
  readonly holder?: string;
  readonly integration?: string;
  readonly decision?: string;
  readonly reason?: string;
  readonly requestId?: string;
  readonly method?: string;
  readonly pathPrefix?: string;
  readonly ip?: string;
  readonly status?: string;
  readonly from?: string;
  readonly to?: string;
}

interface ExportOptions extends FilterOptions {
  readonly format: ExportFormat;
  readonly cursor?: string;
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
      new Option("--format <format>", "a line of JSON each, or CSV")
        .choices(EXPORT_FORMATS)
        .default("ndjson"),
    )
    .option(
      "--cursor <id>",
      "go on after this event, where an export was broken off; without a line of headings",
    )
    .action(
      withContext(async (context, { format, cursor, ...options }: ExportOptions) => {
        await exportEvents(context, { ...readFilter(options), cursor }, format);
      }),
    );

  addAuditChainCommands(group, {
    add: (command) => timeOptions(filterOptions(command)),
    read: readFilter,
  });
}

function filterOptions(command: Command): Command {
  return command
    .option("--key <id>", "under this key only")
    .option("--holder <id>", "under keys of this holder only")
    .option("--integration <integration>", "to this integration only")
    .addOption(new Option("--decision <decision>", "only these").choices(["allowed", "blocked"]))
    .addOption(
      new Option("--reason <reason>", "blocked for this reason only").choices(Object.keys(BLOCK_REASONS)),
    )
    .option("--request-id <id>", "this request only: the RelayKey-Request-Id of an answer")
    .option("--method <method>", "with this method only")
    .option("--path-prefix <path>", "whose path begins so")
    .option("--ip <address>", "from this address only")
    .option("--status <status>", "answered with 403, or 4xx for all of them");
}

function timeOptions(command: Command): Command {
  return command
    .option("--from <when>", "at or after: a time such as 2027-01-31T12:00:00Z, or so long ago such as 2h")
    .option("--to <when>", "at or before");
}

function readFilter({
  requestId,
  pathPrefix,
  from,
  to,
  ...same
}: FilterOptions): Record<string, string | undefined> {
  return {
    ...same,
    request_id: requestId,
    path_prefix: pathPrefix,
    from: moment("--from", from, -1),
    to: moment("--to", to, -1),
  };
}
