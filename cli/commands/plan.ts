import { Argument } from "commander";
import type { Command } from "commander";
import { PLAN_NAMES } from "@relaykey/core/plans";
import type { Json } from "../client.ts";
import { withContext } from "../context.ts";
import type { CliContext } from "../context.ts";
import { untilEnforced } from "../enforcement.ts";
import type { FanOut } from "../enforcement.ts";
import { printChange, printList } from "../output.ts";

/** What the organization may have, and has. */
export function addPlanCommands(program: Command): void {
  const group = program.command("plan").description("the plan of the organization");

  group
    .command("show", { isDefault: true })
    .description("show it, and how much of it is used")
    .action(
      withContext(async (context) => {
        printPlan(context, await context.call("GET", "/plan"));
      }),
    );

  group
    .command("set")
    .description("set it (with the bootstrap token only)")
    .addArgument(new Argument("<plan>", "which").choices(PLAN_NAMES))
    .action(
      withContext(async (context, plan: string) => {
        const answer = await context.call("PUT", "/plan", { plan });
        const enforcement = await untilEnforced(context, answer["enforcement"] as FanOut);
        printChange(context.printer, { ...answer, enforcement }, "plan");
      }),
    );
}

function printPlan({ printer }: CliContext, answer: Json): void {
  if (printer.json) {
    printer.out(JSON.stringify(answer, null, 2));
    return;
  }
  const { title, audit_retention_days: days, limits, usage } = answer["plan"] as Json;
  printer.out(`${String(title)}: the audit log is kept for ${String(days)} days.`);
  const used = usage as Json;
  const data = Object.entries(limits as Json).map(([what, limit]) => ({ what, used: used[what], limit }));
  printList(printer, { data }, [
    ["WHAT", (row) => String(row["what"]).replaceAll("_", " ")],
    ["USED", (row) => row["used"]],
    ["LIMIT", (row) => row["limit"]],
  ]);
}
