import type { Command } from "commander";
import type { Json } from "../client.ts";
import { withContext } from "../context.ts";
import type { CliContext } from "../context.ts";
import { untilEnforced } from "../enforcement.ts";
import type { FanOut } from "../enforcement.ts";
import { Failure } from "../failure.ts";
import { printChange, printDone, printList } from "../output.ts";
import { readSecret, secretOption } from "../secret-input.ts";
import type { SecretOption } from "../secret-input.ts";

interface RotateOptions extends SecretOption {
  readonly restorableFor?: string;
  readonly test?: true;
}

/** What becomes of the vendor key of an integration. */
export function addVendorKeyCommands(group: Command): void {
  secretOption(group.command("rotate <integration>"))
    .description("replace the vendor key; all its keys use the new one at once")
    .option("--restorable-for <duration>", "how long rollback can undo it: 7d if left out, 0s for not at all")
    .option("--test", "try the new key at the vendor first; if it is refused, nothing changes")
    .action(
      withContext(async (context, integration: string, options: RotateOptions) => {
        const { secretStdin, restorableFor, test } = options;
        const secret = await readSecret(secretStdin === true, `New vendor key for ${integration}`);
        await change(context, `${path(integration)}/rotate`, {
          secret: secret.reveal(),
          ...(restorableFor === undefined ? {} : { restorable_for: restorableFor }),
          ...(test === true ? { test } : {}),
        });
      }),
    );

  group
    .command("rollback <integration>")
    .description("put the vendor key back in force that was replaced last; doing it again undoes that")
    .action(
      withContext(async (context, integration: string) => {
        await change(context, `${path(integration)}/rollback`, {});
      }),
    );

  group
    .command("versions <integration>")
    .description("list the versions of the vendor key, without what is in them")
    .action(
      withContext(async (context, integration: string) => {
        printList(context.printer, await context.call("GET", `${path(integration)}/versions`), [
          ["VERSION", (version) => version["version"]],
          ["IN FORCE", (version) => (version["in_force"] === true ? "yes" : "no")],
          ["RESTORABLE UNTIL", (version) => version["restorable_until"]],
          ["DESTROYED", (version) => (version["destroyed"] === true ? "yes" : "no")],
          ["CREATED", (version) => version["created_at"]],
        ]);
      }),
    );

  secretOption(group.command("test <integration>"))
    .description(
      "ask the vendor whether it accepts the vendor key; with --secret-stdin, one that is not stored",
    )
    .action(
      withContext(async (context, integration: string, { secretStdin }: SecretOption) => {
        const body =
          secretStdin === true
            ? { secret: (await readSecret(true, `Vendor key for ${integration}`)).reveal() }
            : {};
        printVerdict(context, await context.call("POST", `${path(integration)}/test`, body));
      }),
    );

  group
    .command("delete <integration>")
    .description("delete one that no key was ever issued for, with its vendor key")
    .action(
      withContext(async (context, integration: string) => {
        printDone(
          context.printer,
          await context.call("DELETE", path(integration)),
          `Deleted ${integration}.`,
        );
      }),
    );
}

async function change(context: CliContext, where: string, body: object): Promise<void> {
  const answer = await context.call("POST", where, body);
  const enforcement = await untilEnforced(context, answer["enforcement"] as FanOut);
  printChange(context.printer, { ...answer, enforcement }, "integration");
}

/** Anything but an accepted key is a failure for a script. */
function printVerdict({ printer }: CliContext, answer: Json): void {
  const { verdict, meaning, latency_ms: ms } = answer["result"] as Json;
  if (printer.json) printer.out(JSON.stringify(answer, null, 2));
  else printer.out(`${String(verdict)}  ${String(meaning)} (${String(ms)} ms)`);
  if (verdict !== "accepted") throw new Failure(String(meaning));
}

function path(integration: string): string {
  return `/integrations/${encodeURIComponent(integration)}`;
}
