import { Option } from "commander";
import type { Command } from "commander";
import { NOTICE_TYPES } from "@relaykey/core/notice";
import { query } from "../client.ts";
import { pageOptions, withContext } from "../context.ts";
import type { PageOptions } from "../context.ts";
import { usage } from "../failure.ts";
import { printDone, printList } from "../output.ts";
import type { Column } from "../output.ts";

const COLUMNS: readonly Column[] = [
  ["AT", (notice) => notice["at"]],
  ["TYPE", (notice) => notice["type"]],
  ["WHAT", (notice) => notice["title"]],
  ["SEEN", (notice) => (notice["seen_at"] === null ? "no" : "yes")],
  ["FACTS", (notice) => notice["data"]],
  ["ID", (notice) => notice["id"]],
];

interface ListOptions extends PageOptions {
  readonly type?: string;
  readonly unseen?: true;
}

/** What admins should know. */
export function addNoticeCommands(program: Command): void {
  const group = program.command("notices").description("what admins should know");

  pageOptions(group.command("list", { isDefault: true }).description("list them, newest first"))
    .addOption(new Option("--type <type>", "only these").choices(Object.keys(NOTICE_TYPES)))
    .option("--unseen", "only those that nobody has marked as seen")
    .action(
      withContext(async (context, { unseen, ...options }: ListOptions) => {
        const search = query({ ...options, unseen: unseen === true ? "true" : undefined });
        printList(context.printer, await context.call("GET", `/notices${search}`), COLUMNS);
      }),
    );

  group
    .command("seen [ids...]")
    .description("mark some as seen, for everybody in the organization")
    .option("--up-to <id>", "this one and all before it")
    .action(
      withContext(async (context, ids: string[], { upTo }: { readonly upTo?: string }) => {
        if ((ids.length === 0) === (upTo === undefined)) {
          throw usage("Say which: their ids, or --up-to with the newest that you looked at.");
        }
        const answer = await context.call(
          "POST",
          "/notices/seen",
          upTo === undefined ? { ids } : { up_to: upTo },
        );
        printDone(context.printer, answer, `Marked as seen: ${String(answer["marked"])}.`);
      }),
    );
}
