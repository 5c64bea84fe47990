import { once } from "node:events";
import type { Command } from "commander";
import { verifyFile } from "../audit/verify.ts";
import type { VerifyOptions } from "../audit/verify.ts";
import { query } from "../client.ts";
import type { Json } from "../client.ts";
import { collect, printerOf, withContext } from "../context.ts";
import { printOne } from "../output.ts";

/** What proves the log: its chain, files with proofs, and checking them. */
export function addAuditChainCommands(
  group: Command,
  filters: {
    readonly add: (command: Command) => Command;
    readonly read: (options: object) => Readonly<Record<string, string | undefined>>;
  },
): void {
  group
    .command("chain")
    .description("how far the log is verified, its last entry and its public keys")
    .action(
      withContext(async (context) => {
        const answer = await context.call("GET", "/audit-chain");
        printOne(
          context.printer,
          context.printer.json ? answer : { audit_chain: summary(answer) },
          "audit_chain",
        );
      }),
    );

  filters
    .add(group.command("proof"))
    .description("write events to standard output with all that proves them: see rk audit verify")
    .action(
      withContext(async (context, options: object) => {
        for await (const chunk of context.stream(
          `/audit-events/proof${query({ ...filters.read(options) })}`,
        )) {
          if (!process.stdout.write(chunk)) await once(process.stdout, "drain");
        }
      }),
    );

  group
    .command("verify")
    .description("check a file of rk audit proof, without a network")
    .argument("<file>", "the file; - for standard input")
    .option("--key <public-key>", "a public key that is trusted; may be repeated", collect)
    .option("--checkpoint <file>", "an earlier entry of the chain: it must still be there")
    .option("--save-checkpoint <file>", "write the last entry there, for the next time")
    .action(async (file: string, options: VerifyOptions, command: Command) => {
      await verifyFile(printerOf(command), file, options);
    });
}

/** What a person wants to know of the chain, on a line each. */
function summary(answer: Json): Json {
  const chain = answer["audit_chain"] as Json;
  const head = chain["head"] as Json | null;
  const problem = chain["problem"] as Json | null;
  return {
    state: chain["state"],
    ...(problem === null ? {} : { problem: problem["what"] }),
    last_entry: head?.["sequence"] ?? null,
    verified_through: chain["verified_through"],
    verified_events: chain["verified_events"],
    verified_at: chain["verified_at"],
    public_keys: (chain["public_keys"] as readonly Json[]).map((key) => key["public_key"]),
  };
}
