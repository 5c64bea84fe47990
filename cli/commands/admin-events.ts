import { Option } from "commander";
import type { Command } from "commander";
import { query } from "../client.ts";
import type { Json } from "../client.ts";
import { pageOptions, withContext } from "../context.ts";
import type { PageOptions } from "../context.ts";
import { printList } from "../output.ts";
import type { Column } from "../output.ts";
import { moment } from "../selection-options.ts";

const VIAS = ["api", "dashboard", "cli", "confirmation", "system"] as const;

const COLUMNS: readonly Column[] = [
  ["TIME", (event) => event["at"]],
  ["ACTION", (event) => event["action"]],
  ["ACTOR", (event) => nameOf(event["actor"])],
  ["SUBJECT", (event) => nameOf(event["subject"])],
  ["VIA", (event) => event["via"]],
  ["IP", (event) => event["ip"]],
];

interface FilterOptions extends PageOptions {
  readonly action?: string;
  readonly actor?: string;
  readonly subject?: string;
  readonly subjectKind?: string;
  readonly via?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Who changed what. */
export function addAdminEventCommands(program: Command): void {
  pageOptions(program.command("admin-events"))
    .description("who changed what, newest first")
    .option("--action <action>", "only this, such as key.revoked")
    .option("--actor <id>", "by this person or token only")
    .option("--subject <id>", "about this key, holder, integration … only")
    .option("--subject-kind <kind>", "about things of this kind only, such as key")
    .addOption(new Option("--via <face>", "done through this only").choices(VIAS))
    .option("--from <when>", "at or after: a time, or so long ago such as 2h")
    .option("--to <when>", "at or before")
    .action(
      withContext(async (context, { from, to, subjectKind, ...options }: FilterOptions) => {
        const search = query({
          ...options,
          subject_kind: subjectKind,
          from: moment("--from", from, -1),
          to: moment("--to", to, -1),
        });
        printList(context.printer, await context.call("GET", `/admin-events${search}`), COLUMNS);
      }),
    );
}

function nameOf(value: unknown): unknown {
  const { name, kind, id } = value as Json;
  return name ?? `${String(kind)} ${String(id)}`;
}
