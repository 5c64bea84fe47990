import type { Command } from "commander";
import { withContext } from "../context.ts";
import { printOne } from "../output.ts";

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
