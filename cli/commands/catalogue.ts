import type { Command } from "commander";
import type { Json } from "../client.ts";
import { withContext } from "../context.ts";
import { printList } from "../output.ts";

export function addCatalogueCommand(program: Command): void {
  program
    .command("catalogue")
    .description(
      "vendors whose settings are known: integrations create begins with one, --preset names its rules",
    )
    .action(
      withContext(async (context) => {
        printList(context.printer, await context.call("GET", "/catalogue"), [
          ["SLUG", (entry) => entry["slug"]],
          ["NAME", (entry) => entry["name"]],
          ["UPSTREAM", (entry) => entry["upstream"]],
          ["PRESETS", (entry) => (entry["presets"] as readonly Json[]).map(({ name }) => name)],
        ]);
      }),
    );
}
