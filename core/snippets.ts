import type { CatalogueEntry } from "./catalogue/index.ts";
import type { ScopeRule } from "./scope.ts";

/** A piece of code or shell that uses a key as it stands. */
export interface Snippet {
  readonly id: "curl" | "node" | "python" | "env";
  readonly label: string;
  /** What has to be there first: "npm install openai". */
  readonly install: string | null;
  readonly text: string;
}

export interface SnippetInput {
  /** Base URL of the proxy, without a path. */
  readonly proxy: string;
  readonly slug: string;
  readonly entry: Pick<CatalogueEntry, "slug" | "sdk"> | null;
  /** The token, or a name to be replaced by it. */
  readonly token: string;
  /** What the key may do: the call of the first rule is shown. */
  readonly rules: readonly ScopeRule[];
  readonly bindings: Readonly<Record<string, string>>;
}

/** How a vendor's SDK is told where to call. `base` is the address of the integration. */
interface Sdk {
  readonly node?: (base: string, token: string) => string;
  readonly python?: (base: string, token: string) => string;
  readonly install?: string;
  readonly pip?: string;
  /** Appended to the base in the environment variable and in SDKs. */
  readonly path?: string;
  /** Environment variable by which the SDK takes its key. */
  readonly keyVariable?: string;
}

const SDKS: Readonly<Record<string, Sdk>> = {
  openai: {
    install: "npm install openai",
    pip: "pip install openai",
    path: "/v1",
    keyVariable: "OPENAI_API_KEY",
    node: (base, token) =>
      `import OpenAI from "openai";\nconst client = new OpenAI({ baseURL: ${quote(base)}, apiKey: ${token} });`,
    python: (base, token) =>
      `from openai import OpenAI\nclient = OpenAI(base_url=${quote(base)}, api_key=${token})`,
  },
  anthropic: {
    install: "npm install @anthropic-ai/sdk",
    pip: "pip install anthropic",
    keyVariable: "ANTHROPIC_API_KEY",
    node: (base, token) =>
      `import Anthropic from "@anthropic-ai/sdk";\nconst client = new Anthropic({ baseURL: ${quote(base)}, apiKey: ${token} });`,
    python: (base, token) =>
      `from anthropic import Anthropic\nclient = Anthropic(base_url=${quote(base)}, api_key=${token})`,
  },
  stripe: {
    install: "npm install stripe",
    pip: "pip install stripe",
    keyVariable: "STRIPE_SECRET_KEY",
    node: (base, token) => {
      const { hostname, port, protocol } = new URL(base);
      return `import Stripe from "stripe";\nconst stripe = new Stripe(${token}, {\n  host: ${quote(hostname)},\n  port: ${quote(port === "" ? "443" : port)},\n  protocol: ${quote(protocol.slice(0, -1))},\n});`;
    },
    python: (base, token) =>
      `import stripe\nclient = stripe.StripeClient(${token}, base_addresses={"api": ${quote(base)}})`,
  },
  resend: {
    install: "npm install resend",
    keyVariable: "RESEND_API_KEY",
    node: (base, token) =>
      `import { Resend } from "resend";\nconst resend = new Resend(${token}, { baseUrl: ${quote(base)} });`,
  },
  cloudflare: {
    install: "npm install cloudflare",
    pip: "pip install cloudflare",
    keyVariable: "CLOUDFLARE_API_TOKEN",
    node: (base, token) =>
      `import Cloudflare from "cloudflare";\nconst client = new Cloudflare({ baseURL: ${quote(base)}, apiToken: ${token} });`,
    python: (base, token) =>
      `from cloudflare import Cloudflare\nclient = Cloudflare(base_url=${quote(base)}, api_token=${token})`,
  },
  github: {
    install: "npm install octokit",
    pip: "pip install PyGithub",
    keyVariable: "GITHUB_TOKEN",
    node: (base, token) =>
      `import { Octokit } from "octokit";\nconst octokit = new Octokit({ auth: ${token}, baseUrl: ${quote(base)} });`,
    python: (base, token) =>
      `from github import Auth, Github\nclient = Github(auth=Auth.Token(${token}), base_url=${quote(base)})`,
  },
  google: {
    install: "npm install @google/genai",
    pip: "pip install google-genai",
    keyVariable: "GEMINI_API_KEY",
    node: (base, token) =>
      `import { GoogleGenAI } from "@google/genai";\nconst google = new GoogleGenAI({ apiKey: ${token}, httpOptions: { baseUrl: ${quote(base)} } });`,
    python: (base, token) =>
      `from google import genai\nclient = genai.Client(api_key=${token}, http_options={"base_url": ${quote(base)}})`,
  },
  elevenlabs: {
    install: "npm install @elevenlabs/elevenlabs-js",
    pip: "pip install elevenlabs",
    keyVariable: "ELEVENLABS_API_KEY",
    node: (base, token) =>
      `import { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";\nconst client = new ElevenLabsClient({ apiKey: ${token}, baseUrl: ${quote(base)} });`,
    python: (base, token) =>
      `from elevenlabs import ElevenLabs\nclient = ElevenLabs(api_key=${token}, base_url=${quote(base)})`,
  },
  slack: {
    install: "npm install @slack/web-api",
    pip: "pip install slack_sdk",
    path: "/api/",
    keyVariable: "SLACK_BOT_TOKEN",
    node: (base, token) =>
      `import { WebClient } from "@slack/web-api";\nconst slack = new WebClient(${token}, { slackApiUrl: ${quote(base)} });`,
    python: (base, token) =>
      `from slack_sdk import WebClient\nclient = WebClient(token=${token}, base_url=${quote(base)})`,
  },
  twilio: {
    install: "npm install twilio",
    node: (base, token) =>
      [
        `import twilio from "twilio";`,
        `class Relayed extends twilio.RequestClient {`,
        `  request = (options) =>`,
        `    super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", ${quote(base)}) });`,
        `}`,
        `const client = twilio(ACCOUNT_SID, ${token}, { httpClient: new Relayed() });`,
      ].join("\n"),
  },
  sendgrid: {
    install: "npm install @sendgrid/mail",
    keyVariable: "SENDGRID_API_KEY",
    node: (base, token) =>
      `import client from "@sendgrid/client";\nclient.setApiKey(${token});\nclient.setDefaultRequest("baseUrl", ${quote(base)});`,
  },
};

/**
 * Where an integration is called: `PROXY/SLUG`, or for SDKs that take no path `SLUG.PROXY`. On this very machine the name
 * of the host has to be "localhost" for that, whose subdomains lead here too.
 */
export function integrationUrl(proxy: string, slug: string, form: "path" | "host"): string {
  if (form === "path") return `${proxy}/${slug}`;
  const url = new URL(proxy);
  const host = url.hostname === "127.0.0.1" ? "localhost" : url.hostname;
  return `${url.protocol}//${slug}.${host}${url.port === "" ? "" : `:${url.port}`}`;
}

/** The environment variables by which programs take a key and where to call; those of the vendor's SDK where it has some. */
export function environment({
  proxy,
  slug,
  entry,
  token,
}: Pick<SnippetInput, "proxy" | "slug" | "entry" | "token">): Record<string, string> {
  const sdk = (entry === null ? undefined : SDKS[entry.slug]) ?? {};
  const base = `${integrationUrl(proxy, slug, entry?.sdk.baseUrl ?? "path")}${sdk.path ?? ""}`;
  return {
    RELAYKEY: token,
    RELAYKEY_URL: base,
    ...(sdk.keyVariable === undefined ? {} : { [sdk.keyVariable]: token }),
    ...(entry?.sdk.env === undefined ? {} : { [entry.sdk.env]: base }),
  };
}

/** Ways to use a key, those of the vendor's SDK where there is one. They work as they stand. */
export function snippets(input: SnippetInput): Snippet[] {
  const { proxy, slug, entry, token } = input;
  const sdk = (entry === null ? undefined : SDKS[entry.slug]) ?? {};
  const base = integrationUrl(proxy, slug, entry?.sdk.baseUrl ?? "path");
  const sdkBase = `${base}${sdk.path ?? ""}`;
  const call = firstCall(input);
  // curl reads no host name below localhost on every system; the path form always works.
  const url = `${proxy}/${slug}${call.path}`;
  const method = call.method === "GET" ? "" : ` -X ${call.method}`;
  const inNode = `process.env.RELAYKEY`;
  const inPython = `os.environ["RELAYKEY"]`;
  return [
    {
      id: "curl",
      label: "curl",
      install: null,
      text: `curl${method} ${shell(url)} \\\n  -H ${shell(`Authorization: Bearer ${token}`)}${call.hasBody ? ` \\\n  -H "Content-Type: application/json" \\\n  -d '{}'` : ""}`,
    },
    {
      id: "node",
      label: "Node",
      install: sdk.node === undefined ? null : (sdk.install ?? null),
      text:
        sdk.node?.(sdkBase, inNode) ??
        `const answer = await fetch(${quote(url)}, {\n  method: ${quote(call.method)},\n  headers: { Authorization: \`Bearer \${${inNode}}\` },\n});\nconsole.log(answer.status, await answer.text());`,
    },
    {
      id: "python",
      label: "Python",
      install: sdk.python === undefined ? null : (sdk.pip ?? null),
      text: `import os\n${
        sdk.python?.(sdkBase, inPython) ??
        `import urllib.request\nrequest = urllib.request.Request(\n    ${quote(url)},\n    method=${quote(call.method)},\n    headers={"Authorization": "Bearer " + ${inPython}},\n)\nprint(urllib.request.urlopen(request).read())`
      }`,
    },
    {
      id: "env",
      label: "Environment",
      install: null,
      text: Object.entries(environment(input))
        .map(([name, value]) => `export ${name}=${value}`)
        .join("\n"),
    },
  ];
}

/** A request that the first rule admits. */
function firstCall({ rules, bindings }: SnippetInput): { method: string; path: string; hasBody: boolean } {
  const reading = rules.find(({ methods }) => methods.includes("GET") || methods.includes("*"));
  const rule = reading ?? rules[0];
  if (rule === undefined) return { method: "GET", path: "/", hasBody: false };
  const method = reading === undefined ? (rule.methods[0] ?? "GET") : "GET";
  const path = rule.path
    .replace(/\{([^}]*)\}/g, (_, name: string) =>
      encodeURIComponent(Object.hasOwn(bindings, name) ? (bindings[name] ?? "ID") : "ID"),
    )
    .replaceAll(/\*+/g, "ID");
  return { method, path, hasBody: ["POST", "PUT", "PATCH"].includes(method) };
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** Single quotes, in which a shell reads nothing (POSIX 2.2.2). */
function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
