import type { Command } from "commander";
import { roleOption } from "../choices.ts";
import { query } from "../client.ts";
import { collect, pageOptions, withContext } from "../context.ts";
import type { PageOptions } from "../context.ts";
import { printList, printOnce, printOne } from "../output.ts";
import { readLifetime } from "../policy-options.ts";
import { addProvisionerCommand } from "./provisioners.ts";

interface CreateOptions {
  readonly role: string;
  readonly allow?: readonly string[];
  readonly ip?: readonly string[];
  readonly expires: string;
}

/** Tokens of the management API. */
export function addTokenCommands(program: Command): void {
  const group = program.command("tokens").description("tokens of the management API");

  pageOptions(group.command("list", { isDefault: true }).description("list them, newest first")).action(
    withContext(async (context, options: PageOptions) => {
      printList(context.printer, await context.call("GET", `/tokens${query({ ...options })}`), [
        ["NAME", (token) => token["name"]],
        ["TOKEN", (token) => token["display"]],
        ["KIND", (token) => token["kind"]],
        ["ROLE", (token) => token["role"]],
        ["EXPIRES", (token) => token["expires_at"]],
        ["REVOKED", (token) => token["revoked_at"]],
        ["LAST USED", (token) => token["last_used_at"]],
        ["ID", (token) => token["id"]],
      ]);
    }),
  );

  group
    .command("show <id>")
    .description("show one; the token itself cannot be shown again")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("GET", `/tokens/${encodeURIComponent(id)}`);
        printOne(context.printer, answer, "management_token");
      }),
    );

  group
    .command("create <name>")
    .description("make one; it is shown this once")
    .addOption(roleOption().default("admin"))
    .option("--allow <rule>", 'a call of the API it may make, such as "GET /keys" (repeat)', collect)
    .option("--ip <block>", "an address or block it may be used from (repeat)", collect)
    .option("--expires <when>", "after a duration (30d), at a time, or none", "30d")
    .action(
      withContext(async (context, name: string, { role, allow, ip, expires }: CreateOptions) => {
        const body = {
          name,
          role,
          ...(allow === undefined ? {} : { allow }),
          ...(ip === undefined ? {} : { ips: ip }),
          ...readLifetime(expires),
        };
        const answer = await context.call("POST", "/tokens", body);
        printOnce(context.printer, answer, "token", `Made the token ${name}`);
      }),
    );

  group
    .command("revoke <id>")
    .description("end one for good")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("POST", `/tokens/${encodeURIComponent(id)}/revoke`);
        printOne(context.printer, answer, "management_token");
      }),
    );

  addProvisionerCommand(group);
}
