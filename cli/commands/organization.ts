import type { Command } from "commander";
import { withContext } from "../context.ts";
import { untilEnforced } from "../enforcement.ts";
import type { FanOut } from "../enforcement.ts";
import { printChange, printOne } from "../output.ts";

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
    .command("create <name>")
    .description("create another organization (with the bootstrap token only)")
    .action(
      withContext(async (context, name: string) => {
        const answer = await context.call("POST", "/organizations", { name });
        printOne(context.printer, answer, "organization");
        if (context.printer.json) return;
        context.printer.err("Its management token, shown this once:");
        context.printer.out(String(answer["management_token"]));
      }),
    );
}
