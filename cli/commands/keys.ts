import { Option } from "commander";
import type { Command } from "commander";
import { KEY_SORTS } from "@relaykey/core/key-sort";
import type { KeySort } from "@relaykey/core/key-sort";
import { HOLDER_KINDS } from "@relaykey/core/snapshot";
import { query } from "../client.ts";
import type { Json } from "../client.ts";
import { pageOptions, withContext } from "../context.ts";
import type { CliContext, PageOptions } from "../context.ts";
import { Failure, usage } from "../failure.ts";
import { issueKey } from "../issue-key.ts";
import { printChange, printList, printOne } from "../output.ts";
import type { Column } from "../output.ts";
import { policyOptions, readPolicy } from "../policy-options.ts";
import type { PolicyOptions } from "../policy-options.ts";
import { readSelection, selectionOptions } from "../selection-options.ts";
import type { SelectionOptions } from "../selection-options.ts";
import { addKeyLifecycleCommands } from "./key-lifecycle.ts";

const COLUMNS: readonly Column[] = [
  ["NAME", (key) => key["name"]],
  ["KEY", (key) => key["display"]],
  ["STATE", (key) => describeState(key)],
  ["HOLDER", (key) => (key["holder"] as Json)["name"]],
  ["INTEGRATION", (key) => (key["integration"] as Json)["slug"]],
  ["EXPIRES", (key) => key["expires_at"]],
  ["LAST USED", (key) => key["last_used_at"]],
  ["ID", (key) => key["id"]],
];

const RECEIPT_COLUMNS: readonly Column[] = [
  ["VERSION", (receipt) => receipt["version"]],
  ["IN FORCE SINCE", (receipt) => receipt["enforced_at"]],
  ["WAITED (MS)", (receipt) => receipt["waited_ms"]],
  ["LAST REQUEST BEFORE", (receipt) => receipt["last_admitted_at"]],
  ["STREAMS CUT", (receipt) => receipt["streams_cut"]],
];

interface CreateOptions extends PolicyOptions {
  readonly holder: string;
  readonly integration: string;
  readonly createHolder?: string | true;
  readonly email?: string;
}

interface ListOptions extends PageOptions, SelectionOptions {
  readonly pending?: true;
  readonly sort?: KeySort;
}

export function addKeyCommands(program: Command): void {
  const group = program.command("keys").description("RelayKeys: create, list, show, change, revoke");

  policyOptions(group.command("create"))
    .description("issue a key; its token is shown this once")
    .requiredOption("--holder <holder>", "who will hold it: name or id")
    .requiredOption("--integration <integration>", "what it is for: slug or id")
    .addOption(
      new Option("--create-holder [kind]", "create the holder if there is none of this name")
        .choices(HOLDER_KINDS)
        .preset("application"),
    )
    .option("--email <address>", "e-mail address of a holder that is created")
    .action(
      withContext(async (context, options: CreateOptions) => {
        const { holder, integration, createHolder, email, ...policy } = options;
        if (policy.allow === undefined) {
          throw usage('Say what the key may do: --allow "POST /v1/chat/completions" (repeat for more).');
        }
        const body = { ...readPolicy(policy), holder, integration };
        const kind = typeof createHolder === "string" ? createHolder : null;
        printCreated(context, await issueKey(context, body, { kind, email }));
      }),
    );

  selectionOptions(pageOptions(group.command("list", { isDefault: true })))
    .description("list keys, newest first unless sorted")
    .option("--pending", "only those whose newest change is not in force yet")
    .addOption(
      new Option("--sort <order>", "sort by this; a minus sign before it: falling").choices(KEY_SORTS),
    )
    .action(
      withContext(async (context, { pending, sort, limit, cursor, ...options }: ListOptions) => {
        const policy = pending === true ? "pending" : undefined;
        const search = query({ limit, cursor, policy, sort, ...readSelection(options) });
        printList(context.printer, await context.call("GET", `/keys${search}`), COLUMNS);
      }),
    );

  group
    .command("show <id>")
    .description("show one; its token cannot be shown again")
    .action(
      withContext(async (context, id: string) => {
        printOne(context.printer, await context.call("GET", `/keys/${encodeURIComponent(id)}`), "key");
      }),
    );

  group
    .command("inspect <id>")
    .description("what the proxy has of a key right now: version, leases, uses, trusted addresses")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("GET", `/keys/${encodeURIComponent(id)}/enforcement`);
        printOne(context.printer, answer, "inspection");
      }),
    );

  group
    .command("receipts <id>")
    .description("when each change of a key came into force, and what it ended")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("GET", `/keys/${encodeURIComponent(id)}/receipts`);
        printList(context.printer, answer, RECEIPT_COLUMNS);
      }),
    );

  policyOptions(group.command("change <id>"))
    .description("change what a key may do, in force when the command returns")
    .action(
      withContext(async (context, id: string, options: PolicyOptions) => {
        const change = readPolicy(options);
        if (Object.keys(change).length === 0) throw usage("Say what to change: see rk keys change --help.");
        const answer = await context.call("PATCH", `/keys/${encodeURIComponent(id)}`, change);
        printChange(context.printer, answer, "key");
      }),
    );

  group
    .command("revoke <id>")
    .description("end a key for good, everywhere when the command returns")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("POST", `/keys/${encodeURIComponent(id)}/revoke`);
        printChange(context.printer, answer, "key");
        printReceipt(context, answer);
      }),
    );

  addKeyLifecycleCommands(group);
}

/** What a revocation came to, for people: scripts have it in the JSON. */
function printReceipt({ printer }: CliContext, answer: Json): void {
  const receipt = answer["receipt"] as Json | null;
  if (printer.json || receipt === null) return;
  const { enforced_at: at, last_admitted_at: last, streams_cut: cut } = receipt;
  printer.err(`No request starts under this key since ${String(at)}.`);
  printer.err(typeof last === "string" ? `The last one before that began at ${last}.` : "It was never used.");
  if (cut !== 0) printer.err(`Open answers that were cut: ${String(cut)}.`);
  const bound = (answer["key"] as Json)["enforcement_bound_seconds"];
  if (bound !== 0) printer.err(`This key is enforced at the edge: give it ${String(bound)} seconds.`);
}

/** The token goes to standard output alone, so that it can be captured; all else is for people. */
export function printCreated({ printer }: CliContext, answer: Json): void {
  const key = answer["key"] as Json;
  if (printer.json) printer.out(JSON.stringify(answer, null, 2));
  else {
    printer.err(`Created ${String(key["name"])} (${String(key["id"])}). Its token, shown this once:`);
    printer.out(String(answer["token"]));
  }
  if ((answer["enforcement"] as Json)["state"] === "pending") {
    throw new Failure(
      "The key is stored, but does not work yet: the proxy could not be told. RelayKey keeps trying; see rk keys show.",
    );
  }
}

function describeState(key: Json): string {
  const policy = key["policy"] as Json;
  return `${String(key["state"])}${policy["state"] === "pending" ? " (pending)" : ""}`;
}
