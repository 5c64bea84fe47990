import type { Command } from "commander";
import { confirmationOptions, readConfirmation } from "../confirmation-options.ts";
import type { ConfirmationOptions } from "../confirmation-options.ts";
import { withContext } from "../context.ts";
import { untilEnforced } from "../enforcement.ts";
import type { FanOut } from "../enforcement.ts";
import { Failure, usage } from "../failure.ts";
import { printChange, printOnce, printOne } from "../output.ts";

export function addOrganizationCommands(program: Command): void {
  const group = program.command("organization").description("your organization");

  group
    .command("show", { isDefault: true })
    .description("show it")
    .action(
      withContext(async (context) => {
        printOne(context.printer, await context.call("GET", "/organization"), "organization");
      }),
    );

  group
    .command("rename <name>")
    .description("give it another name")
    .action(
      withContext(async (context, name: string) => {
        printOne(context.printer, await context.call("PATCH", "/organization", { name }), "organization");
      }),
    );

  confirmationOptions(group.command("confirmation"))
    .description("change how people confirm that they call from a new address; the keys concerned follow")
    .action(
      withContext(async (context, options: ConfirmationOptions) => {
        const confirmation = readConfirmation(options);
        if (confirmation === undefined) {
          throw usage("Say what to change: see rk organization confirmation --help.");
        }
        const answer = await context.call("PATCH", "/organization", { confirmation });
        const enforcement = await untilEnforced(context, answer["enforcement"] as FanOut);
        printChange(context.printer, { ...answer, enforcement }, "organization");
      }),
    );

  for (const [command, description] of [
    ["freeze", "refuse every key of the organization, until it is unfrozen"],
    ["unfreeze", "let its keys work again"],
  ] as const) {
    group
      .command(command)
      .description(description)
      .action(
        withContext(async (context) => {
          const answer = await context.call("POST", `/organization/${command}`);
          const enforcement = await untilEnforced(context, answer["enforcement"] as FanOut);
          printChange(context.printer, { ...answer, enforcement }, "organization");
        }),
      );
  }

  group
    .command("enforce")
    .description("bring every change that is not in force yet to the proxy, now instead of within a minute")
    .action(
      withContext(async (context) => {
        const answer = await context.call("POST", "/organization/enforce");
        const enforcement = await untilEnforced(context, answer["enforcement"] as FanOut);
        if (context.printer.json) context.printer.out(JSON.stringify({ enforcement }, null, 2));
        if (enforcement.state === "pending")
          throw new Failure(`Not in force yet: ${String(enforcement.pending)} keys. RelayKey keeps trying.`);
        if (!context.printer.json) context.printer.err("In force.");
      }),
    );

  group
    .command("create <name>")
    .description("create another organization (with the bootstrap token only)")
    .action(
      withContext(async (context, name: string) => {
        const answer = await context.call("POST", "/organizations", { name });
        const { id } = answer["organization"] as { id: string };
        printOnce(
          context.printer,
          answer,
          "management_token",
          `Created ${name} (${id}). Its management token`,
        );
      }),
    );
}
