import { Option } from "commander";
import type { Command } from "commander";
import { HOLDER_KINDS } from "@relaykey/core/snapshot";
import { query } from "../client.ts";
import { confirmationOptions, readConfirmation } from "../confirmation-options.ts";
import type { ConfirmationOptions } from "../confirmation-options.ts";
import { pageOptions, withContext } from "../context.ts";
import type { PageOptions } from "../context.ts";
import { usage } from "../failure.ts";
import { untilEnforced } from "../enforcement.ts";
import type { FanOut } from "../enforcement.ts";
import { printChange, printDone, printList, printOne } from "../output.ts";
import type { Column } from "../output.ts";
import { limitOptions, readLimits } from "../policy-options.ts";
import type { LimitOptions } from "../policy-options.ts";

const COLUMNS: readonly Column[] = [
  ["NAME", (holder) => holder["name"]],
  ["KIND", (holder) => holder["kind"]],
  ["EMAIL", (holder) => holder["email"]],
  ["FROZEN", (holder) => (holder["frozen"] === true ? "yes" : "no")],
  ["ID", (holder) => holder["id"]],
];

interface ChangeOptions extends LimitOptions, ConfirmationOptions {
  readonly name?: string;
  readonly kind?: string;
  readonly email?: string;
}

interface CreateOptions extends LimitOptions {
  readonly kind: string;
  readonly email?: string;
}

export function addHolderCommands(program: Command): void {
  const group = program
    .command("holders")
    .description("who holds keys: people, applications, services, agents, vendors");

  pageOptions(group.command("list", { isDefault: true }).description("list them")).action(
    withContext(async (context, options: PageOptions) => {
      printList(context.printer, await context.call("GET", `/holders${query({ ...options })}`), COLUMNS);
    }),
  );

  group
    .command("show <holder>")
    .description("show one, by name or id")
    .action(
      withContext(async (context, holder: string) => {
        const answer = await context.call("GET", `/holders/${encodeURIComponent(holder)}`);
        printOne(context.printer, answer, "holder");
      }),
    );

  limitOptions(group.command("create <name>"))
    .description("create one; limits hold over all of its keys")
    .addOption(kindOption().default("application"))
    .option("--email <address>", "needed for a person: new IP addresses are confirmed there")
    .action(
      withContext(async (context, name: string, options: CreateOptions) => {
        const { kind, email } = options;
        const limits = readLimits(options);
        const body = {
          name,
          kind,
          ...(email === undefined ? {} : { email }),
          ...(limits === undefined ? {} : { limits }),
        };
        printOne(context.printer, await context.call("POST", "/holders", body), "holder");
      }),
    );

  confirmationOptions(limitOptions(group.command("change <holder>")))
    .description("change one; its keys follow at once")
    .option("--name <name>", "another name")
    .addOption(kindOption())
    .option("--email <address>", "another e-mail address")
    .action(
      withContext(async (context, holder: string, options: ChangeOptions) => {
        const { name, kind, email } = options;
        const limits = readLimits(options);
        const confirmation = readConfirmation(options);
        const change = {
          ...(name === undefined ? {} : { name }),
          ...(kind === undefined ? {} : { kind }),
          ...(email === undefined ? {} : { email }),
          ...(limits === undefined ? {} : { limits }),
          ...(confirmation === undefined ? {} : { confirmation }),
        };
        if (Object.keys(change).length === 0)
          throw usage("Say what to change: see rk holders change --help.");
        const answer = await context.call("PATCH", `/holders/${encodeURIComponent(holder)}`, change);
        printChange(context.printer, answer, "holder");
      }),
    );

  for (const [verb, description] of [
    ["freeze", "refuse all keys of a holder until it is unfrozen"],
    ["unfreeze", "let its keys work again"],
  ] as const) {
    group
      .command(`${verb} <holder>`)
      .description(description)
      .action(
        withContext(async (context, holder: string) => {
          const answer = await context.call("POST", `/holders/${encodeURIComponent(holder)}/${verb}`);
          const enforcement = await untilEnforced(context, answer["enforcement"] as FanOut);
          printChange(context.printer, { ...answer, enforcement }, "holder");
        }),
      );
  }

  group
    .command("delete <holder>")
    .description("delete one that was never issued a key")
    .action(
      withContext(async (context, holder: string) => {
        const answer = await context.call("DELETE", `/holders/${encodeURIComponent(holder)}`);
        printDone(context.printer, answer, `Deleted ${holder}.`);
      }),
    );
}

function kindOption(): Option {
  return new Option("--kind <kind>", "what it is").choices(HOLDER_KINDS);
}
