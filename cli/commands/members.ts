import type { Command } from "commander";
import { query } from "../client.ts";
import { pageOptions, withContext } from "../context.ts";
import type { PageOptions } from "../context.ts";
import { roleOption } from "../choices.ts";
import { printDone, printList, printOne } from "../output.ts";
import type { Column } from "../output.ts";

const MEMBERS: readonly Column[] = [
  ["EMAIL", (member) => member["email"]],
  ["ROLE", (member) => member["role"]],
  ["PASSKEY", (member) => (member["has_passkey"] === true ? "yes" : "no")],
  ["SINCE", (member) => member["created_at"]],
  ["ID", (member) => member["id"]],
];

const INVITATIONS: readonly Column[] = [
  ["EMAIL", (invitation) => invitation["email"]],
  ["ROLE", (invitation) => invitation["role"]],
  ["INVITED BY", (invitation) => invitation["invited_by"]],
  ["EXPIRES", (invitation) => invitation["expires_at"]],
  ["ID", (invitation) => invitation["id"]],
];

interface RoleOption {
  readonly role: string;
}

/** The people of the organization, those who are asked in, and whose addresses belong to it. */
export function addMemberCommands(program: Command): void {
  addMembers(program.command("members").description("people of the organization"));
  addInvitations(program.command("invitations").description("people who are asked in"));
  addDomains(program.command("domains").description("mail domains that the organization holds"));
}

function addMembers(group: Command): void {
  pageOptions(group.command("list", { isDefault: true }).description("list them")).action(
    withContext(async (context, options: PageOptions) => {
      printList(context.printer, await context.call("GET", `/members${query({ ...options })}`), MEMBERS);
    }),
  );

  group
    .command("show <id>")
    .description("show one")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("GET", `/members/${encodeURIComponent(id)}`);
        printOne(context.printer, answer, "member");
      }),
    );

  group
    .command("change <id>")
    .description("give a member another role; the last admin stays one")
    .addOption(roleOption().makeOptionMandatory())
    .action(
      withContext(async (context, id: string, { role }: RoleOption) => {
        const answer = await context.call("PATCH", `/members/${encodeURIComponent(id)}`, { role });
        printOne(context.printer, answer, "member");
      }),
    );

  group
    .command("remove <id>")
    .description("remove a member, who sees nothing of the organization any more; the last admin stays")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("DELETE", `/members/${encodeURIComponent(id)}`);
        const { email } = answer["member"] as { email: string };
        printDone(context.printer, answer, `Removed ${email}.`);
      }),
    );
}

function addInvitations(group: Command): void {
  pageOptions(group.command("list", { isDefault: true }).description("list the open ones")).action(
    withContext(async (context, options: PageOptions) => {
      const answer = await context.call("GET", `/invitations${query({ ...options })}`);
      printList(context.printer, answer, INVITATIONS);
    }),
  );

  group
    .command("show <id>")
    .description("show an open one")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("GET", `/invitations/${encodeURIComponent(id)}`);
        printOne(context.printer, answer, "invitation");
      }),
    );

  group
    .command("create <email>")
    .description("mail somebody a link that works for seven days, for that address only")
    .addOption(roleOption().default("viewer"))
    .action(
      withContext(async (context, email: string, { role }: RoleOption) => {
        printOne(context.printer, await context.call("POST", "/invitations", { email, role }), "invitation");
      }),
    );

  group
    .command("resend <id>")
    .description("mail a new link; the one before is dead")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("POST", `/invitations/${encodeURIComponent(id)}/resend`);
        printOne(context.printer, answer, "invitation");
      }),
    );

  group
    .command("revoke <id>")
    .description("withdraw one; its link is dead")
    .action(
      withContext(async (context, id: string) => {
        const answer = await context.call("DELETE", `/invitations/${encodeURIComponent(id)}`);
        const { email } = answer["invitation"] as { email: string };
        printDone(context.printer, answer, `Withdrawn: the invitation of ${email}.`);
      }),
    );
}

function addDomains(group: Command): void {
  group
    .command("list", { isDefault: true })
    .description("list them; people claim them in the dashboard, by signing up")
    .action(
      withContext(async (context) => {
        printList(context.printer, await context.call("GET", "/domains"), [
          ["DOMAIN", (domain) => domain["domain"]],
          ["SINCE", (domain) => domain["created_at"]],
        ]);
      }),
    );

  group
    .command("release <domain>")
    .description("give one up: whoever signs up next with an address there may claim it")
    .action(
      withContext(async (context, domain: string) => {
        const answer = await context.call("DELETE", `/domains/${encodeURIComponent(domain)}`);
        printDone(context.printer, answer, `Released ${domain}.`);
      }),
    );
}
