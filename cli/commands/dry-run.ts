import type { Command } from "commander";
import { collect, withContext } from "../context.ts";
import { usage } from "../failure.ts";
import { policyDraft } from "../policy-options.ts";

interface DryRunOptions {
  readonly key?: string;
  readonly integration?: string;
  readonly allow?: readonly string[];
  readonly bind?: readonly string[];
  readonly ip?: readonly string[];
  readonly from?: string;
  readonly at?: string;
}

/** As a refusal is a failure, so that a script can ask. */
const REFUSED = 1;

export function addDryRunCommand(program: Command): void {
  program
    .command("dry-run <method> <target>")
    .description("would this request be allowed, and why (not)? Nothing is sent to the vendor")
    .option("--key <id>", "by the policy of this key")
    .option("--integration <integration>", "or by a policy that no key has yet, for this integration")
    .option("--allow <rule>", "its rules (repeat)", collect)
    .option("--bind <name=value>", "what a {name} in the rules stands for (repeat)", collect)
    .option("--ip <block>", "its allowlist (repeat), or: any, confirm", collect)
    .option("--from <address>", "as if it came from this address")
    .option("--at <time>", "as if it came at this time")
    .action(
      withContext(async (context, method: string, target: string, options: DryRunOptions) => {
        const { key, integration, allow, bind, ip, from, at } = options;
        if ((key === undefined) === (integration === undefined)) {
          throw usage("Say by which policy: --key, or --integration with --allow.");
        }
        const { printer } = context;
        const answer = await context.call("POST", "/policy/dry-run", {
          ...(key === undefined
            ? { draft: { integration, ...policyDraft({ allow: allow ?? [], bind, ip }) } }
            : { key }),
          method,
          target,
          ...(from === undefined ? {} : { ip: from }),
          ...(at === undefined ? {} : { at }),
        });
        if (printer.json) printer.out(JSON.stringify(answer, null, 2));
        else {
          const { allowed, reason, detail, rule, remedy } = answer;
          printer.out(allowed === true ? "allowed" : `blocked  ${String(reason)}`);
          printer.out(String(detail));
          if (typeof rule === "object" && rule !== null && "rule" in rule)
            printer.out(`Rule: ${String(rule.rule)}`);
          if (typeof remedy === "string") printer.out(remedy);
        }
        if (answer["allowed"] !== true) process.exitCode = REFUSED;
      }),
    );
}
