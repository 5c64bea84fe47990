import { hostname, userInfo } from "node:os";
import type { Command } from "commander";
import { Secret } from "@relaykey/core/secret";
import { Refusal, Unanswered, call } from "../client.ts";
import { checkUrl } from "../connection.ts";
import { printerOf, withContext } from "../context.ts";
import type { GlobalOptions } from "../context.ts";
import { Failure } from "../failure.ts";
import { printList, printOne } from "../output.ts";
import type { Printer } from "../output.ts";
import { Profiles, checkName } from "../profiles.ts";

const SLOW_DOWN_SECONDS = 5;

/** Signing in through the browser (RFC 8628), signing out, and who one is. */
export function addSessionCommands(program: Command): void {
  program
    .command("login [url]")
    .description("sign in through the browser; --profile NAME keeps several apart")
    .action(async (url: string | undefined, _options: object, command: Command) => {
      const { profile = "default" } = command.optsWithGlobals<GlobalOptions>();
      const profiles = new Profiles(process.env);
      const address = url ?? profiles.find(checkName(profile))?.profile.url;
      if (address === undefined)
        throw new Failure("Say where RelayKey is: rk login https://relaykey.example.com", 2);
      await login(printerOf(command), profiles, profile, checkUrl(address, "The address"));
    });

  program
    .command("logout")
    .description("revoke the token of the sign-in, and forget it")
    .action(async (_options: object, command: Command) => {
      const printer = printerOf(command);
      const profiles = new Profiles(process.env);
      const found = profiles.find(command.optsWithGlobals<GlobalOptions>().profile);
      if (found === null) throw new Failure("You are not signed in there.");
      const { name, profile } = found;
      const revoked = await revoke({
        url: checkUrl(profile.url, profiles.path),
        token: new Secret(profile.token),
      });
      // Only what is dead is forgotten: a token that may live must stay where its owner can find it.
      profiles.remove(name);
      if (printer.json) printer.out(JSON.stringify({ profile: name, revoked }));
      else
        printer.err(
          revoked ? `Signed out of ${profile.url}.` : "The token was dead already; it is forgotten.",
        );
    });

  program
    .command("whoami")
    .description("show where commands go, and as whom")
    .action(
      withContext(async (context) => {
        const { url } = context;
        const answer = await context.call("GET", "/whoami");
        if (context.printer.json) context.printer.out(JSON.stringify({ api_url: url, ...answer }, null, 2));
        else {
          const { token, organization, proxy_url } = answer as {
            token: Record<string, unknown>;
            organization: { name: string } | null;
            proxy_url: string;
          };
          const { id, ...facts } = token;
          const shown = { api_url: url, proxy_url, organization: organization?.name, ...facts, token_id: id };
          printOne(context.printer, { shown }, "shown");
        }
      }),
    );

  const group = program.command("profiles").description("the sign-ins kept on this machine");
  group
    .command("list", { isDefault: true })
    .description("list them")
    .action((_options: object, command: Command) => {
      const { current, profiles } = new Profiles(process.env).read();
      const data = Object.entries(profiles).map(([name, { url, expiresAt }]) => ({
        name,
        url,
        expires_at: expiresAt,
        current: name === current,
      }));
      printList(printerOf(command), { data }, [
        ["NAME", (entry) => entry["name"]],
        ["URL", (entry) => entry["url"]],
        ["UNTIL", (entry) => entry["expires_at"]],
        ["CURRENT", (entry) => (entry["current"] === true ? "yes" : "no")],
      ]);
    });
  group
    .command("use <name>")
    .description("make one the current one")
    .action((name: string) => {
      new Profiles(process.env).use(name);
    });
}

interface Self {
  readonly organization: { readonly name: string } | null;
  readonly token: { readonly role: string };
}

interface Started {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
}

async function login(printer: Printer, profiles: Profiles, name: string, url: string): Promise<void> {
  const client = `rk on ${hostname()} (${userInfo().username})`.replace(/[\p{Cc}\p{Cf}]/gu, "").slice(0, 100);
  const started = (await call({ url, token: null }, "POST", "/device/code", {
    client,
  })) as unknown as Started;
  printer.err(`Open ${started.verification_uri_complete}`);
  printer.err(`and check that it shows the code ${started.user_code}. Waiting …`);
  const { token, expiresAt } = await waitForApproval(printer, url, started);
  profiles.save(name, { url, token, expiresAt });
  // Whose organization it is has to be seen: an admin of another one, too, could have answered the code.
  const { organization, token: self } = (await call(
    { url, token: new Secret(token) },
    "GET",
    "/whoami",
  )) as unknown as Self;
  const [place, role] = [organization?.name ?? null, self.role];
  if (printer.json) {
    printer.out(JSON.stringify({ profile: name, url, organization: place, role, expires_at: expiresAt }));
  } else {
    printer.err(`Signed in to ${place ?? "no organization"} at ${url} as ${role}, until ${expiresAt}.`);
    printer.err(`It is the profile ${name}. If that is not your organization: rk logout --profile ${name}`);
  }
}

async function waitForApproval(
  printer: Printer,
  url: string,
  started: Started,
): Promise<{ readonly token: string; readonly expiresAt: string }> {
  let seconds = started.interval;
  const deadline = Date.now() + started.expires_in * 1_000;
  while (Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    try {
      const answer = await call({ url, token: null }, "POST", "/device/token", {
        device_code: started.device_code,
      });
      return { token: String(answer["access_token"]), expiresAt: String(answer["expires_at"]) };
    } catch (error) {
      if (error instanceof Unanswered) {
        // The person may be typing the code meanwhile: a network that is away for a moment ends nothing (RFC 8628, 3.5).
        printer.err(`${url} did not answer. Trying again …`);
        seconds *= 2;
        continue;
      }
      if (!(error instanceof Refusal)) throw error;
      if (error.code === "slow_down") seconds += SLOW_DOWN_SECONDS;
      else if (error.code !== "authorization_pending") throw error;
    }
  }
  throw new Failure("Nobody approved the sign-in in time: run rk login again.");
}

/** @returns false when the token is of no use already. @throws when that cannot be told. */
async function revoke(connection: { readonly url: string; readonly token: Secret }): Promise<boolean> {
  try {
    await call(connection, "DELETE", "/whoami");
    return true;
  } catch (error) {
    if (error instanceof Refusal && /^token_(?:revoked|expired|invalid)$/.test(error.code)) return false;
    throw error;
  }
}
