import { Command, CommanderError } from "commander";
import { addAdminEventCommands } from "./commands/admin-events.ts";
import { addAuditCommands } from "./commands/audit.ts";
import { addCatalogueCommand } from "./commands/catalogue.ts";
import { addCompletionCommands } from "./commands/completion.ts";
import { addCustodyCommands } from "./commands/custody.ts";
import { addDryRunCommand } from "./commands/dry-run.ts";
import { addHolderCommands } from "./commands/holders.ts";
import { addIntegrationCommands } from "./commands/integrations.ts";
import { addKeyCommands } from "./commands/keys.ts";
import { addMemberCommands } from "./commands/members.ts";
import { addNetworkCommands } from "./commands/networks.ts";
import { addNoticeCommands } from "./commands/notices.ts";
import { addOrganizationCommands } from "./commands/organization.ts";
import { addPlanCommands } from "./commands/plan.ts";
import { addRunCommands } from "./commands/run.ts";
import { addSessionCommands } from "./commands/session.ts";
import { addTokenCommands } from "./commands/tokens.ts";
import { addWebhookCommands } from "./commands/webhooks.ts";
import { Failure } from "./failure.ts";
import { refuseSecretArguments } from "./secret-input.ts";

const EPILOGUE = `
It talks to the RelayKey that --profile or --state names, or else RELAYKEY_API_URL and RELAYKEY_MANAGEMENT_TOKEN, or
RELAYKEY_PROFILE, or the one that "npm start" has running here, or the one of the last rk login.

Exit codes: 0 done; 1 refused, failed, or stored but not in force yet; 2 called wrongly; rk run has its command's.`;

/** All commands. */
export function createProgram(): Command {
  const program = new Command("rk")
    .description("RelayKey on the command line")
    .option("--json", "print the API's JSON")
    .option("--profile <name>", "the sign-in to use: see rk login")
    .option("--state <dir>", "state folder of the local edition (default: .relaykey)")
    .addHelpText("after", EPILOGUE)
    .showSuggestionAfterError()
    .exitOverride();
  // Subcommands inherit what is set before they are added.
  addSessionCommands(program);
  addOrganizationCommands(program);
  addMemberCommands(program);
  addIntegrationCommands(program);
  addCustodyCommands(program);
  addCatalogueCommand(program);
  addHolderCommands(program);
  addNetworkCommands(program);
  addKeyCommands(program);
  addRunCommands(program);
  addDryRunCommand(program);
  addAuditCommands(program);
  addAdminEventCommands(program);
  addNoticeCommands(program);
  addWebhookCommands(program);
  addTokenCommands(program);
  addPlanCommands(program);
  addCompletionCommands(program);
  return program;
}

/** Runs a command line. @returns the exit code of rk itself; a command may have set another one for a success. */
export async function runProgram(args: readonly string[]): Promise<number> {
  try {
    refuseSecretArguments(args);
    await createProgram().parseAsync([...args], { from: "user" });
    return 0;
  } catch (error) {
    // Commander has printed its own message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(
      args.includes("--json") ? `${JSON.stringify(error.problem)}\n` : `rk: ${error.message}\n`,
    );
    return error.exitCode;
  }
}
