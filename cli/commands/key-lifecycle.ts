import type { Command } from "commander";
import type { Json } from "../client.ts";
import { withContext } from "../context.ts";
import type { CliContext } from "../context.ts";
import { untilEnforced } from "../enforcement.ts";
import type { FanOut } from "../enforcement.ts";
import { Failure, usage } from "../failure.ts";
import { printChange } from "../output.ts";
import { readSelection, selectionOptions } from "../selection-options.ts";
import type { SelectionOptions } from "../selection-options.ts";

interface RerollOptions {
  readonly overlap?: string;
  readonly expires?: string;
}

interface BulkOptions extends SelectionOptions {
  readonly id?: readonly string[];
  readonly yes?: true;
  readonly dryRun?: true;
}

/** What becomes of keys after they were issued. */
export function addKeyLifecycleCommands(group: Command): void {
  group
    .command("reroll <id>")
    .description("replace a key by a new one that may do the same; its token is shown this once")
    .option("--overlap <duration>", "how long the former key goes on: 24h if left out, 0s revokes it at once")
    .option("--expires <duration>", "when the new key expires; if left out, when the former one would have")
    .action(
      withContext(async (context, id: string, { overlap, expires }: RerollOptions) => {
        const body = {
          ...(overlap === undefined ? {} : { overlap }),
          ...(expires === undefined ? {} : { expires_in: expires }),
        };
        printRerolled(context, await context.call("POST", `/keys/${encodeURIComponent(id)}/reroll`, body));
      }),
    );

  for (const [verb, description] of [
    ["freeze", "refuse every request of a key until it is unfrozen"],
    ["unfreeze", "let a frozen key work again, also one that its holder froze"],
  ] as const) {
    group
      .command(`${verb} <id>`)
      .description(description)
      .action(
        withContext(async (context, id: string) => {
          printChange(
            context.printer,
            await context.call("POST", `/keys/${encodeURIComponent(id)}/${verb}`),
            "key",
          );
        }),
      );
  }

  selectionOptions(group.command("revoke-many [ids...]"))
    .description("end many keys for good: those named, or all that fit the conditions")
    .option("--dry-run", "only say how many")
    .option("--yes", "do it without being asked")
    .action(
      withContext(async (context, ids: string[], options: BulkOptions) => {
        const { yes, dryRun, ...conditions } = options;
        const selection = { ...readSelection(conditions), ...(ids.length === 0 ? {} : { ids }) };
        const rehearsal = await context.call("POST", "/keys/bulk-revoke", { ...selection, dry_run: true });
        if (dryRun === true) {
          printCount(context, rehearsal);
          return;
        }
        if (yes !== true) {
          throw usage(
            `This revokes ${count(rehearsal)} for good. Add --yes to do it, or --dry-run to look only.`,
          );
        }
        await revokeMany(context, selection);
      }),
    );
}

async function revokeMany(context: CliContext, selection: object): Promise<void> {
  const { printer } = context;
  const answer = await context.call("POST", "/keys/bulk-revoke", selection);
  const enforcement = await untilEnforced(context, answer["enforcement"] as FanOut);
  if (printer.json) printer.out(JSON.stringify({ ...answer, enforcement }, null, 2));
  else printer.err(`Revoked ${count(answer)}.`);
  if (enforcement.state === "pending") {
    throw new Failure(
      `Stored, but not in force yet for ${String(enforcement.pending)} of them: the proxy could not confirm it. RelayKey ` +
        "keeps trying; see rk keys list --pending.",
    );
  }
  if (!printer.json) printer.err("In force.");
}

function printCount({ printer }: CliContext, rehearsal: Json): void {
  if (printer.json) printer.out(JSON.stringify(rehearsal, null, 2));
  else printer.err(`This would revoke ${count(rehearsal)}.`);
}

function count(answer: Json): string {
  const keys = Number(answer["revoked"]);
  return keys === 1 ? "1 key" : `${String(keys)} keys`;
}

/** The token alone goes to standard output, as when a key is created. */
function printRerolled({ printer }: CliContext, answer: Json): void {
  const former = answer["former"] as { key: Json; enforcement: Json };
  if (printer.json) printer.out(JSON.stringify(answer, null, 2));
  else {
    const end =
      former.key["state"] === "revoked" ? "is revoked" : `goes on until ${String(former.key["expires_at"])}`;
    printer.err(
      `Made ${String((answer["key"] as Json)["id"])}. The former key ${end}. The new token, shown this once:`,
    );
    printer.out(String(answer["token"]));
  }
  if ([answer, former].some((each) => (each["enforcement"] as Json)["state"] === "pending")) {
    throw new Failure("Stored, but not in force yet: the proxy could not confirm it. RelayKey keeps trying.");
  }
}
