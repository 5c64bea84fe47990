import { Option } from "commander";
import type { Command } from "commander";
import { query } from "../client.ts";
import type { Json } from "../client.ts";
import { pageOptions, withContext } from "../context.ts";
import type { CliContext, PageOptions } from "../context.ts";
import { Failure, usage } from "../failure.ts";
import { printDone, printList, printOne } from "../output.ts";
import type { Column } from "../output.ts";
import { moment } from "../selection-options.ts";

const STATES = ["waiting", "delivered", "dead"] as const;

const COLUMNS: readonly Column[] = [
  ["CREATED", (delivery) => delivery["created_at"]],
  ["TYPE", (delivery) => delivery["type"]],
  ["STATE", (delivery) => delivery["state"]],
  ["ATTEMPTS", (delivery) => delivery["attempts"]],
  ["STATUS", (delivery) => delivery["last_status"]],
  ["ERROR", (delivery) => delivery["last_error"]],
  ["NEXT", (delivery) => delivery["next_attempt_at"]],
  ["ID", (delivery) => delivery["id"]],
];

interface ReplayOptions {
  readonly delivery?: string;
  readonly since?: string;
}

/** What was sent to a webhook, and sending it again. */
export function addDeliveryCommands(group: Command): void {
  group
    .command("test <id>")
    .description("send a test message at once, and say what became of it")
    .action(
      withContext(async (context, id: string) => {
        printDelivery(context, await context.call("POST", `${webhook(id)}/test`));
      }),
    );

  pageOptions(group.command("deliveries <id>"))
    .description("list what was, or is to be, sent to one, newest first")
    .addOption(new Option("--status <state>", "in this state only").choices(STATES))
    .action(
      withContext(async (context, id: string, options: PageOptions & { readonly status?: string }) => {
        const { status: state, ...page } = options;
        const answer = await context.call("GET", `${webhook(id)}/deliveries${query({ ...page, state })}`);
        printList(context.printer, answer, COLUMNS);
      }),
    );

  group
    .command("replay <id>")
    .description("send again: one delivery, or all that was missed since a moment of the last 30 days")
    .option("--delivery <id>", "this one, at once and with the same webhook-id")
    .addOption(
      new Option("--since <when>", "what was missed since: a time, or so long ago such as 2h").conflicts(
        "delivery",
      ),
    )
    .action(
      withContext(async (context, id: string, options: ReplayOptions) => {
        const since = moment("--since", options.since, -1);
        if (options.delivery !== undefined) {
          const path = `${webhook(id)}/deliveries/${encodeURIComponent(options.delivery)}/replay`;
          printDelivery(context, await context.call("POST", path));
        } else if (since === undefined) {
          throw usage("Say what to send again: --delivery ID, or --since 2h.");
        } else {
          const answer = await context.call("POST", `${webhook(id)}/replay`, { since });
          printDone(context.printer, answer, `Waiting to be sent: ${String(answer["waiting"])}.`);
        }
      }),
    );
}

/** Where one webhook is. */
export function webhook(id: string): string {
  return `/webhooks/${encodeURIComponent(id)}`;
}

/** A message that did not arrive is a failure for a script. */
function printDelivery({ printer }: CliContext, answer: Json): void {
  printOne(printer, answer, "delivery");
  const { state, last_error: error } = answer["delivery"] as Json;
  if (state !== "delivered") {
    throw new Failure(`It did not arrive (${String(error)}). See what the receiver says; it is tried again.`);
  }
}
