import type { Command } from "commander";
import { collect, withContext } from "../context.ts";
import { usage } from "../failure.ts";
import { printOnce } from "../output.ts";
import { readLifetime } from "../policy-options.ts";

interface BoundOptions {
  readonly integration: readonly string[];
  readonly allow: readonly string[];
  readonly maxTtl: string;
  readonly maxAlive: string;
  readonly holder?: readonly string[];
  readonly within?: readonly string[];
  readonly maxRate?: string;
}

interface CreateOptions extends BoundOptions {
  readonly ip?: readonly string[];
  readonly expires: string;
}

/** Tokens that can issue keys within bounds, and nothing else. */
export function addProvisionerCommand(group: Command): void {
  group
    .command("create-provisioner <name>")
    .description("make a token that only issues keys, within bounds; it is shown this once")
    .requiredOption("--integration <integration>", "for which it may issue keys (repeat)", collect)
    .requiredOption("--allow <rule>", "the most that a key of it may do (repeat)", collect)
    .requiredOption("--max-ttl <duration>", "the longest that a key of it lives, such as 1h")
    .requiredOption("--max-alive <n>", "how many of its keys may be alive at the same time")
    .option("--holder <holder>", "to whom it may issue keys (repeat); if left out, to anybody", collect)
    .option("--within <block>", "keys must be bound to addresses within (repeat)", collect)
    .option("--max-rate <rate>", "keys must have a rate, at most this, such as 100/minute")
    .option("--ip <block>", "an address or block that the token itself may be used from (repeat)", collect)
    .option("--expires <when>", "when the token itself ends: a duration (30d), a time, or none", "30d")
    .action(
      withContext(async (context, name: string, { ip, expires, ...bounds }: CreateOptions) => {
        const body = {
          name,
          kind: "provisioner",
          bounds: readBounds(bounds),
          ...(ip === undefined ? {} : { ips: ip }),
          ...readLifetime(expires),
        };
        const answer = await context.call("POST", "/tokens", body);
        printOnce(context.printer, answer, "token", `Made the provisioner ${name}`);
      }),
    );
}

function readBounds({ integration, allow, maxTtl, maxAlive, holder, within, maxRate }: BoundOptions): object {
  if (!/^\d{1,6}$/.test(maxAlive)) throw usage("--max-alive: give a whole number.");
  return {
    integrations: integration,
    allow,
    max_ttl: maxTtl,
    max_alive: Number(maxAlive),
    ...(holder === undefined ? {} : { holders: holder }),
    ...(within === undefined ? {} : { ips: within }),
    ...(maxRate === undefined ? {} : { rate: maxRate }),
  };
}
