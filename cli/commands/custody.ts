import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { Json } from "../client.ts";
import { withContext } from "../context.ts";
import type { CliContext } from "../context.ts";
import { Failure } from "../failure.ts";
import { printList } from "../output.ts";

interface SetOptions {
  readonly publicKey: string;
}

/** For whom vendor keys are sealed. */
export function addCustodyCommands(program: Command): void {
  const group = program.command("custody").description("for whom vendor keys are sealed");

  group
    .command("show", { isDefault: true })
    .description("show the keys that they are sealed for, and how far rewrapping is")
    .action(
      withContext(async (context) => {
        printCustody(context, await context.call("GET", "/custody"));
      }),
    );

  group
    .command("set <arn>")
    .description("put them under a key of your own in AWS KMS; the proxy proves first that it may use it")
    .requiredOption("--public-key <file>", "its public key, as aws kms get-public-key prints it")
    .action(
      withContext(async (context, arn: string, { publicKey }: SetOptions) => {
        const customerKey = { arn, public_key: await read(publicKey) };
        printCustody(context, await context.call("PUT", "/custody", { customer_key: customerKey }));
      }),
    );

  group
    .command("unset")
    .description("put them back under the proxy's own key alone; keep yours enabled until that is done")
    .action(
      withContext(async (context) => {
        printCustody(context, await context.call("PUT", "/custody", { customer_key: null }));
      }),
    );

  group
    .command("rewrap")
    .description("go on rewrapping now, until nothing waits")
    .action(
      withContext(async (context) => {
        let answer = await context.call("POST", "/custody/rewrap");
        for (let left = waiting(answer); left > 0;) {
          answer = await context.call("POST", "/custody/rewrap");
          // One that only fails is the job's to try again.
          if (waiting(answer) >= left) break;
          left = waiting(answer);
        }
        printCustody(context, answer);
      }),
    );
}

function waiting(answer: Json): number {
  return Number(((answer["custody"] as Json)["rewrap"] as Json)["pending"]);
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch {
    throw new Failure(`${file} cannot be read.`);
  }
}

function printCustody({ printer }: CliContext, answer: Json): void {
  if (printer.json) {
    printer.out(JSON.stringify(answer, null, 2));
    return;
  }
  const { provider, customer_key: key, rewrap, integrations } = answer["custody"] as Json;
  printer.out(
    provider === "local"
      ? "Vendor keys are sealed for the proxy's own key."
      : `Vendor keys are sealed for the proxy's own key and ${String((key as Json)["arn"])}.`,
  );
  const { total, current, pending, failed } = rewrap as Json;
  if (current !== total) {
    printer.err(
      `${String(current)} of ${String(total)} are so already; ${String(pending)} wait, ${String(failed)} failed and are tried again.`,
    );
  }
  printList(printer, { data: integrations }, [
    ["INTEGRATION", (row) => row["integration"]],
    ["VERSION", (row) => row["version"]],
    ["PROVIDER", (row) => row["provider"]],
    ["KEY ID", (row) => row["key_id"]],
    ["SEALED", (row) => row["sealed_at"]],
    ["STATE", (row) => row["state"]],
    ["PROBLEM", (row) => row["problem"]],
  ]);
}
