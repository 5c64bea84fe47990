import type { Command } from "commander";
import { query } from "../client.ts";
import type { Json } from "../client.ts";
import { withContext } from "../context.ts";
import { printDone, printList } from "../output.ts";
import type { Column } from "../output.ts";

const TRUSTED: readonly Column[] = [
  ["NETWORK", (network) => network["network"]],
  ["SOURCE", (network) => network["source"]],
  ["FIRST SEEN", (network) => network["first_seen"]],
  ["LAST SEEN", (network) => network["last_seen"]],
];

const PENDING: readonly Column[] = [
  ["WAITING", (network) => network["network"]],
  ["SINCE", (network) => network["since"]],
  ["ATTEMPTS", (network) => network["attempts"]],
  ["MAILED", (network) => (network["mailed"] === true ? "yes" : "no")],
  ["KEY", (network) => network["key_id"]],
  ["ID", (network) => network["id"]],
];

/** From where a person's keys may be used. */
export function addNetworkCommands(program: Command): void {
  const group = program.command("networks").description("addresses that holders' keys may be used from");

  group
    .command("list <holder>")
    .description("list those that are trusted, and those that wait for the holder's word")
    .action(
      withContext(async (context, holder: string) => {
        const { printer } = context;
        const answer = await context.call("GET", networksOf(holder));
        if (printer.json) {
          printer.out(JSON.stringify(answer, null, 2));
          return;
        }
        printList(printer, { data: answer["trusted"] }, TRUSTED);
        if ((answer["pending"] as readonly Json[]).length > 0) {
          printer.out("");
          printList(printer, { data: answer["pending"] }, PENDING);
        }
        const storm = answer["storm"] as Json | null;
        if (storm !== null) {
          printer.err(`A storm since ${String(storm["since"])}: ${String(storm["networks"])} new networks.`);
        }
      }),
    );

  group
    .command("approve <holder> <network>")
    .description("trust an address or block in the holder's stead")
    .action(
      withContext(async (context, holder: string, network: string) => {
        const answer = await context.call("POST", networksOf(holder), { network });
        printDone(context.printer, answer, `Trusted: ${String(answer["network"])}.`);
      }),
    );

  group
    .command("remove <holder> <network>")
    .description("stop trusting one; when this returns no request starts from it any more")
    .action(
      withContext(async (context, holder: string, network: string) => {
        const answer = await context.call("DELETE", `${networksOf(holder)}${query({ network })}`);
        printDone(context.printer, answer, `Not trusted any more: ${String(answer["network"])}.`);
      }),
    );

  group
    .command("dismiss <holder> <id>")
    .description("drop one that waits, without trusting it")
    .action(
      withContext(async (context, holder: string, id: string) => {
        const where = `/holders/${encodeURIComponent(holder)}/pending/${encodeURIComponent(id)}/dismiss`;
        printDone(context.printer, await context.call("POST", where), "Dismissed.");
      }),
    );
}

function networksOf(holder: string): string {
  return `/holders/${encodeURIComponent(holder)}/networks`;
}
