import type { Command } from "commander";
import type { Json } from "../client.ts";
import { withContext } from "../context.ts";
import type { CliContext } from "../context.ts";
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
          printChange(context.printer, await untilEnforced(context, answer), "organization");
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

interface FanOut {
  readonly state: "enforced" | "pending";
  readonly keys: number;
  readonly pending: number;
}

/** Runs without progress before the command gives up; the retry job goes on by itself. */
const MAX_IDLE_RUNS = 3;

/** Goes on with a change of many keys until all hold it, and says how far it is. */
async function untilEnforced(context: CliContext, answer: Json): Promise<Json> {
  let enforcement = answer["enforcement"] as FanOut;
  const { keys } = enforcement;
  let idle = 0;
  while (enforcement.state === "pending" && idle < MAX_IDLE_RUNS) {
    if (!context.printer.json) {
      context.printer.err(`${String(keys - enforcement.pending)} of ${String(keys)} keys …`);
    }
    const next = (await context.call("POST", "/organization/enforce"))["enforcement"] as FanOut;
    idle = next.pending < enforcement.pending ? 0 : idle + 1;
    enforcement = { ...next, keys };
  }
  return { ...answer, enforcement };
}
