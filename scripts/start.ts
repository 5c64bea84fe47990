/** `npm start`: the whole of RelayKey on this machine, until Ctrl-C. */
import { parseArgs } from "node:util";
import { StartError } from "@relaykey/local/config/error";
import { DEFAULT_PORT } from "@relaykey/local/ports";
import { readSettings } from "@relaykey/local/settings";
import type { Settings } from "@relaykey/local/settings";
import { startStack } from "@relaykey/local/stack";
import type { Stack } from "@relaykey/local/stack";

const HELP = `Usage: npm start -- [--state DIR] [--port N]

  --state DIR   keep everything in DIR (default: .relaykey)
  --port N      the first of five neighbouring ports (default: ${String(DEFAULT_PORT)})
  --help        this text

  DATABASE_URL  a PostgreSQL to use instead of the built-in one

  RELAYKEY_MAIL_TRANSPORT, RELAYKEY_PROXY_URL, RELAYKEY_TRUSTED_PROXIES and their like, for an installation that others
  use: README.md, "Run it on a server of your own"
`;

const isTerminal = process.stdout.isTTY;

function readOptions(): { state: string; port: number } | null {
  const { values } = parseArgs({
    options: { state: { type: "string" }, port: { type: "string" }, help: { type: "boolean" } },
  });
  if (values.help === true) return null;
  const port = Number(values.port ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_531) {
    throw new StartError(`--port must be a number from 1 to 65531, because four more ports follow it.`);
  }
  return { state: values.state ?? ".relaykey", port };
}

function welcome(stack: Stack, { publicUrls, mail }: Settings): string {
  const { local, signInLink, state } = stack;
  const outside = publicUrls ?? local;
  const isMailed = mail.transport !== "outbox";
  const hint = `
                   Links in mail lead to this machine only. For others, set RELAYKEY_PROXY_URL, RELAYKEY_CONTROL_URL
                   and RELAYKEY_CONFIRM_URL to where they reach it`;
  return `
RelayKey is running.

  Proxy            ${outside.proxy}${publicUrls === null ? "" : `  (here: ${local.proxy})`}
  Dashboard        ${signInLink}
                   (works once, for 15 minutes; the next start prints a new one)
  Management API   ${outside.controlPlane}/api/v1${publicUrls === null ? "" : `  (here: ${local.controlPlane})`}
  Confirmations    ${outside.confirm}${publicUrls === null ? "" : `  (here: ${local.confirm})`}
  Mail             ${isMailed ? `by ${mail.transport}, from ${mail.from}` : `stays in the outbox, ${local.outbox}`}${isMailed && publicUrls === null ? hint : ""}
${local.demo === null ? "" : `  Demo upstream    ${local.upstream}\n`}  State            ${state}
${local.demo === null ? "" : demonstration(stack, local.demo)}
Ctrl-C stops everything; the state stays.
`;
}

function demonstration(
  { local, isFirstStart, state }: Stack,
  { integration, key: demoKey }: { readonly integration: string; readonly key: string },
): string {
  const base = `${local.proxy}/${integration}/v1`;
  const key = isFirstStart ? demoKey : "$RELAYKEY";
  return `
${
  isFirstStart
    ? `Your demo key, shown this once (it stays in ${state}/local.json, readable by you only):

  ${demoKey}`
    : `The demo key was shown at the first start. Put it into RELAYKEY to use what follows.`
}

Try it:

  curl ${base}/chat/completions \\
    -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\
    -d '{"model":"demo-gpt","messages":[{"role":"user","content":"Hello"}]}'

Node (npm install openai):

  import OpenAI from "openai";
  const client = new OpenAI({ baseURL: "${base}", apiKey: "${key}" });
  const chat = await client.chat.completions.create({ model: "demo-gpt", messages: [{ role: "user", content: "Hello" }] });
  console.log(chat.choices[0].message.content);

Python (pip install openai):

  from openai import OpenAI
  client = OpenAI(base_url="${base}", api_key="${key}")
  chat = client.chat.completions.create(model="demo-gpt", messages=[{"role": "user", "content": "Hello"}])
  print(chat.choices[0].message.content)

Then look at what happened:  npm run rk -- audit
`;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === null) {
    process.stdout.write(HELP);
    return;
  }
  const databaseUrl = process.env["DATABASE_URL"];
  const settings = readSettings(process.env);
  const began = Date.now();
  const stack = await startStack({
    ...options,
    settings,
    ...(databaseUrl === undefined || databaseUrl === "" ? {} : { databaseUrl }),
    log: (line) => {
      console.log(isTerminal ? `  ${line}` : line);
    },
  });
  console.log(welcome(stack, settings));
  console.log(`Ready after ${((Date.now() - began) / 1_000).toFixed(1)} s.`);

  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  console.log("\nStopping …");
  await stack.stop();
  console.log("Stopped. Everything is kept.");
}

try {
  await main();
} catch (error) {
  const isExpected = error instanceof StartError || (error instanceof TypeError && "code" in error);
  console.error(
    `relaykey: ${isExpected ? error.message : String(error instanceof Error ? error.stack : error)}`,
  );
  process.exitCode = 1;
}
process.exit();
