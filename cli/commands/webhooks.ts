import { Option } from "commander";
import type { Command } from "commander";
import { NOTICE_TYPES } from "@relaykey/core/notice";
import { repeatedChoice } from "../choices.ts";
import type { Json } from "../client.ts";
import { withContext } from "../context.ts";
import type { CliContext } from "../context.ts";
import { usage } from "../failure.ts";
import { printDone, printList, printOnce, printOne } from "../output.ts";
import type { Column } from "../output.ts";
import { addDeliveryCommands, webhook } from "./deliveries.ts";

const COLUMNS: readonly Column[] = [
  ["URL", (webhook) => webhook["url"]],
  ["TYPES", (webhook) => ((webhook["types"] as string[]).length === 0 ? "all" : webhook["types"])],
  ["STATE", describeState],
  ["FAILING SINCE", (webhook) => webhook["failing_since"]],
  ["ID", (webhook) => webhook["id"]],
];

interface SettingOptions {
  readonly description?: string;
  readonly type?: readonly string[];
}

interface ChangeOptions extends SettingOptions {
  readonly url?: string;
  readonly allTypes?: true;
  readonly enable?: true;
  readonly disable?: true;
}

/** Where the organization's programs are told what happens. */
export function addWebhookCommands(program: Command): void {
  const group = program.command("webhooks").description("endpoints that are told what happens");

  group
    .command("list", { isDefault: true })
    .description("list them")
    .action(
      withContext(async (context) => {
        printList(context.printer, await context.call("GET", "/webhooks"), COLUMNS);
      }),
    );

  group
    .command("show <id>")
    .description("show one; its secret cannot be shown again")
    .action(
      withContext(async (context, id: string) => {
        printOne(context.printer, await context.call("GET", webhook(id)), "webhook");
      }),
    );

  settingOptions(group.command("create <url>"))
    .description("create one; its signing secret is shown this once")
    .action(
      withContext(async (context, url: string, { description, type }: SettingOptions) => {
        const body = {
          url,
          ...(description === undefined ? {} : { description }),
          ...(type === undefined ? {} : { types: type }),
        };
        printSecret(context, await context.call("POST", "/webhooks", body));
      }),
    );

  settingOptions(group.command("change <id>"))
    .description("change one; enabling it again sends what waits for it")
    .option("--url <url>", "another https address")
    .addOption(new Option("--all-types", "of everything").conflicts("type"))
    .option("--enable", "send to it again")
    .addOption(new Option("--disable", "keep what would be sent").conflicts("enable"))
    .action(
      withContext(async (context, id: string, options: ChangeOptions) => {
        const change = readChange(options);
        if (Object.keys(change).length === 0)
          throw usage("Say what to change: see rk webhooks change --help.");
        printOne(context.printer, await context.call("PATCH", webhook(id), change), "webhook");
      }),
    );

  group
    .command("rotate-secret <id>")
    .description("make a new signing secret, shown this once; for a day the former one signs as well")
    .action(
      withContext(async (context, id: string) => {
        printSecret(context, await context.call("POST", `${webhook(id)}/rotate-secret`));
      }),
    );

  group
    .command("delete <id>")
    .description("delete one, with what waits for it")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("DELETE", webhook(id));
        printDone(context.printer, answer, `Deleted ${String((answer["webhook"] as Json)["url"])}.`);
      }),
    );

  addDeliveryCommands(group);
}

function settingOptions(command: Command): Command {
  return command
    .option("--description <text>", "what it is for")
    .addOption(
      repeatedChoice(
        "--type <type>",
        "of what it is told (repeat); if left out, of everything",
        Object.keys(NOTICE_TYPES),
      ),
    );
}

function readChange({ type, allTypes, enable, disable, ...same }: ChangeOptions): object {
  const types = allTypes === true ? [] : type;
  const enabled = enable === true ? true : disable === true ? false : undefined;
  return {
    ...same,
    ...(types === undefined ? {} : { types }),
    ...(enabled === undefined ? {} : { enabled }),
  };
}

function printSecret({ printer }: CliContext, answer: Json): void {
  const { id, url } = answer["webhook"] as Json;
  printOnce(printer, answer, "secret", `The signing secret of ${String(url)} (${String(id)})`);
}

function describeState(webhook: Json): string {
  if (webhook["enabled"] === true) return "enabled";
  return webhook["disabled_by"] === "failures" ? "disabled (it failed)" : "disabled";
}
