import { Option } from "commander";
import type { Command } from "commander";
import type { CredentialPlacement } from "@relaykey/core/credential";
import { DIALECTS } from "@relaykey/core/integration";
import { parseDuration } from "@relaykey/core/limits";
import { query } from "../client.ts";
import { collect, pageOptions, withContext } from "../context.ts";
import type { PageOptions } from "../context.ts";
import { usage } from "../failure.ts";
import { printChange, printList, printOne } from "../output.ts";
import type { Column } from "../output.ts";
import { readSecret, secretOption } from "../secret-input.ts";
import type { SecretOption } from "../secret-input.ts";
import { addVendorKeyCommands } from "./vendor-keys.ts";

const COLUMNS: readonly Column[] = [
  ["SLUG", (integration) => integration["slug"]],
  ["NAME", (integration) => integration["name"]],
  ["UPSTREAM", (integration) => integration["upstream"]],
  ["ENABLED", (integration) => (integration["enabled"] === true ? "yes" : "no")],
  ["HEALTH", (integration) => integration["health"]],
  ["KEY VERSION", (integration) => integration["secret_version"]],
  ["ID", (integration) => integration["id"]],
];

interface SettingOptions {
  readonly name?: string;
  readonly upstream?: string;
  readonly credential?: string;
  readonly header?: readonly string[];
  readonly dialect?: string;
  readonly timeout?: string;
  readonly allowEncodedSlash?: boolean;
  readonly logQuery?: boolean;
  readonly responseCookies?: boolean;
  readonly scrub?: boolean;
}

export function addIntegrationCommands(program: Command): void {
  const group = program.command("integrations").description("vendors' APIs and their sealed keys");

  pageOptions(group.command("list", { isDefault: true }).description("list them")).action(
    withContext(async (context, options: PageOptions) => {
      printList(context.printer, await context.call("GET", `/integrations${query({ ...options })}`), COLUMNS);
    }),
  );

  group
    .command("show <integration>")
    .description("show one, by slug or id; the vendor key is never shown")
    .action(
      withContext(async (context, integration: string) => {
        const answer = await context.call("GET", `/integrations/${encodeURIComponent(integration)}`);
        printOne(context.printer, answer, "integration");
      }),
    );

  secretOption(settingOptions(group.command("create <slug>")))
    .description("create one; what is left out comes from the catalogue, by slug")
    .option("--catalogue <slug>", "the catalogue entry to begin with, when the slug is another")
    .action(
      withContext(
        async (
          context,
          slug: string,
          {
            catalogue,
            secretStdin,
            ...options
          }: SettingOptions & SecretOption & { readonly catalogue?: string },
        ) => {
          const settings = readSettings(options);
          const secret = await readSecret(secretStdin === true, `Vendor key for ${slug}`);
          const body = {
            slug,
            ...settings,
            ...(catalogue === undefined ? {} : { catalogue }),
            secret: secret.reveal(),
          };
          printOne(context.printer, await context.call("POST", "/integrations", body), "integration");
        },
      ),
    );

  settingOptions(secretOption(group.command("change <integration>")))
    .description(
      "change one; its keys follow at once. The vendor key is asked for again with --upstream, --credential and --scrub: it was sealed for them",
    )
    .option("--enable", "let its keys work again")
    .addOption(new Option("--disable", "refuse every request to it").conflicts("enable"))
    .action(
      withContext(
        async (
          context,
          integration: string,
          {
            enable,
            disable,
            secretStdin,
            ...options
          }: SettingOptions & SecretOption & { readonly enable?: true; readonly disable?: true },
        ) => {
          const enabled = enable === true ? { enabled: true } : disable === true ? { enabled: false } : {};
          const change: Record<string, unknown> = { ...readSettings(options), ...enabled };
          if (Object.keys(change).length === 0) {
            throw usage("Say what to change: see rk integrations change --help.");
          }
          const isSealedFor = SEALED_FOR.some((name) => change[name] !== undefined);
          const secret =
            isSealedFor || secretStdin === true
              ? { secret: (await readSecret(secretStdin === true, `Vendor key for ${integration}`)).reveal() }
              : {};
          const answer = await context.call("PATCH", `/integrations/${encodeURIComponent(integration)}`, {
            ...change,
            ...secret,
          });
          printChange(context.printer, answer, "integration");
        },
      ),
    );

  addVendorKeyCommands(group);
}

/** What the vendor key is sealed for: it changes only with the vendor key given again. */
const SEALED_FOR = ["upstream", "credential", "scrub_responses"] as const;

function settingOptions(command: Command): Command {
  return command
    .option("--name <name>", "what people call it")
    .option("--upstream <url>", "https://host/optional/path")
    .option(
      "--credential <placement>",
      'where the vendor key goes: bearer, basic, basic:USER:PASSWORD, header:NAME, header:NAME:TEMPLATE, query:NAME; "{secret}" stands for the key',
    )
    .option(
      "--header <name>",
      'a request header to let through, or a prefix such as "openai-*" (repeat)',
      collect,
    )
    .addOption(new Option("--dialect <dialect>", "how refusals are dressed").choices(DIALECTS))
    .option("--timeout <duration>", "until the vendor's answer begins, such as 30s or 2m")
    .option("--allow-encoded-slash", "admit %2F inside a path segment")
    .option("--no-allow-encoded-slash", "refuse it")
    .option("--log-query", "keep query strings in the audit log; they may hold personal data")
    .option("--no-log-query", "leave them out")
    .option("--response-cookies", "let the vendor's cookies reach callers; they never travel back")
    .option("--no-response-cookies", "keep them here")
    .option("--scrub", "blot the vendor key out where the vendor's answer repeats it")
    .option(
      "--no-scrub",
      "faster on large answers; a vendor that repeats its key then gives it to the caller",
    );
}

function readSettings(options: SettingOptions): Record<string, unknown> {
  const { header, timeout, credential, allowEncodedSlash, logQuery, responseCookies, scrub, ...same } =
    options;
  const timeoutMs = timeout === undefined ? undefined : parseDuration(timeout);
  if (timeoutMs === null) throw usage("--timeout: give a duration such as 30s or 2m.");
  const settings = {
    ...same,
    credential: credential === undefined ? undefined : readPlacement(credential),
    request_headers: header,
    timeout_ms: timeoutMs,
    allow_encoded_slash: allowEncodedSlash,
    log_query: logQuery,
    response_cookies: responseCookies,
    scrub_responses: scrub,
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function readPlacement(text: string): CredentialPlacement {
  const [kind, name, ...rest] = text.split(":");
  const template = rest.length === 0 ? "{secret}" : rest.join(":");
  if (kind === "bearer" && name === undefined) return { kind };
  if (kind === "basic" && name === undefined) return { kind, username: "{secret}", password: "" };
  if (kind === "basic" && name !== undefined) return { kind, username: name, password: rest.join(":") };
  if (kind === "header" && name) return { kind, name: name.toLowerCase(), template };
  if (kind === "query" && name && rest.length === 0) return { kind, name };
  throw usage(
    "--credential: give bearer, basic, basic:USER:PASSWORD, header:NAME, header:NAME:TEMPLATE or query:NAME.",
  );
}
