import { Option } from "commander";
import type { Command } from "commander";
import { HOLDER_KINDS } from "@relaykey/core/snapshot";
import { collect, withContext } from "../context.ts";
import type { CliContext } from "../context.ts";
import { usage } from "../failure.ts";
import { limitOptions } from "../policy-options.ts";
import { SignalRelay, runChild } from "../run/child.ts";
import { mintSessionKey, purposeOf, revokeSessionKey } from "../run/session-key.ts";
import type { SessionKeyOptions } from "../run/session-key.ts";

const SHELLS = ["sh", "fish", "powershell"] as const;
type Shell = (typeof SHELLS)[number];

/** Keys for one command, or one shell, in the environment variables that the vendor's SDK reads. */
export function addRunCommands(program: Command): void {
  sessionKeyOptions(program.command("run <command...>"))
    .description("run a command with a key of its own, which is revoked when the command ends")
    .addHelpText(
      "after",
      `
Write -- before the command:  rk run --integration openai --holder ci --preset chat -- node job.mjs
The exit code is the command's; 128 + n if signal n ended it; 127 if there is no such command; 1 if it ended well but
the key could not be revoked for certain. If rk itself is killed (kill -9), the key ends with its --ttl.`,
    )
    .action(
      withContext(async (context, command: string[], options: SessionKeyOptions) => {
        process.exitCode = await run(context, command, options);
      }),
    );

  sessionKeyOptions(program.command("env"))
    .description('print a key as export lines: eval "$(rk env …)"; it lives until its --ttl ends')
    .addOption(new Option("--shell <shell>", "whose syntax").choices(SHELLS).default("sh"))
    .action(
      withContext(async (context, { shell, ...options }: SessionKeyOptions & { readonly shell: Shell }) => {
        const { printer } = context;
        const key = await mintSessionKey(context, options, "rk env");
        if (printer.json)
          printer.out(JSON.stringify({ id: key.id, expires_at: key.expiresAt, ...key.variables }));
        else
          for (const [name, value] of Object.entries(key.variables))
            printer.out(assignment(shell, name, value));
        printer.err(
          `This key works until ${key.expiresAt}, also when the shell is closed. End it with: rk keys revoke ${key.id}`,
        );
      }),
    );
}

async function run(
  context: CliContext,
  command: readonly string[],
  options: SessionKeyOptions,
): Promise<number> {
  if (command[0] === undefined) throw usage("Say what to run after --.");
  const signals = new SignalRelay();
  try {
    const key = await mintSessionKey(context, options, purposeOf(command[0]));
    let code = signals.stopped;
    try {
      code ??= await runChild(command, childEnvironment(key.variables), signals, context.printer.err);
    } finally {
      const isDead = await revokeSessionKey(context, key, signals.impatience);
      if (!isDead && code === 0) code = 1;
    }
    return code;
  } finally {
    signals.end();
  }
}

/** The command gets its key, and not the one by which it was made. */
function childEnvironment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { RELAYKEY_MANAGEMENT_TOKEN: _token, RELAYKEY_API_URL: _url, ...env } = process.env;
  return { ...env, ...variables };
}

function sessionKeyOptions(command: Command): Command {
  return limitOptions(command)
    .requiredOption("--integration <integration>", "what it is for: slug or id")
    .requiredOption("--holder <holder>", "whose key it is: name or id")
    .addOption(
      new Option("--create-holder [kind]", "create the holder if there is none of this name")
        .choices(HOLDER_KINDS)
        .preset("application"),
    )
    .option("--allow <rule>", 'a rule such as "POST,GET /v1/chat/*" (repeat)', collect)
    .option("--preset <name>", "the catalogue's rules of this name, such as chat")
    .option("--bind <name=value>", "what a {name} in the rules stands for (repeat)", collect)
    .option("--ip <block>", "an address or block to allow (repeat), or: any, confirm", collect)
    .option("--ttl <duration>", "when the key ends at the latest", "1h");
}

function assignment(shell: Shell, name: string, value: string): string {
  switch (shell) {
    case "sh":
      return `export ${name}='${value.replaceAll("'", `'\\''`)}'`;
    case "fish":
      return `set -gx ${name} '${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
    case "powershell":
      return `$env:${name} = '${value.replaceAll("'", "''")}'`;
  }
}
