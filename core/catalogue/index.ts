import type { CredentialPlacement } from "../credential.ts";
import type { Dialect } from "../integration.ts";

/** What is known of a vendor: how to reach it, where its key goes, what its SDK needs. A starting point, not a limit. */
export interface CatalogueEntry {
  readonly slug: string;
  readonly name: string;
  readonly upstream: string;
  readonly credential: CredentialPlacement;
  /** Request header fields its SDKs send beyond the safe list: "name" or "prefix-*". */
  readonly requestHeaders: readonly string[];
  readonly dialect: Dialect;
  readonly presets: readonly { readonly name: string; readonly allow: readonly string[] }[];
  readonly sdk: {
    /** "path": a base URL with a path works; "host": the integration must be addressed by host name. */
    readonly baseUrl: "path" | "host";
    /** Environment variable by which the official SDK takes a base URL. */
    readonly env?: string;
  };
}

const BEARER = { kind: "bearer" } as const;
const STAINLESS = "x-stainless-*";

function header(name: string): CredentialPlacement {
  return { kind: "header", name, template: "{secret}" };
}

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    slug: "openai",
    name: "OpenAI",
    upstream: "https://api.openai.com",
    credential: BEARER,
    requestHeaders: ["openai-*", STAINLESS],
    dialect: "plain",
    presets: [
      {
        name: "Chat",
        allow: ["POST /v1/chat/completions", "POST /v1/responses", "GET /v1/models", "GET /v1/models/*"],
      },
      { name: "Embeddings", allow: ["POST /v1/embeddings"] },
    ],
    sdk: { baseUrl: "path", env: "OPENAI_BASE_URL" },
  },
  {
    slug: "anthropic",
    name: "Anthropic",
    upstream: "https://api.anthropic.com",
    credential: header("x-api-key"),
    requestHeaders: ["anthropic-*", STAINLESS],
    dialect: "plain",
    presets: [
      { name: "Messages", allow: ["POST /v1/messages", "POST /v1/messages/count_tokens", "GET /v1/models"] },
    ],
    sdk: { baseUrl: "path", env: "ANTHROPIC_BASE_URL" },
  },
  {
    slug: "stripe",
    name: "Stripe",
    upstream: "https://api.stripe.com",
    credential: BEARER,
    requestHeaders: ["stripe-*", "x-stripe-*"],
    dialect: "plain",
    presets: [
      { name: "Read customers", allow: ["GET /v1/customers", "GET /v1/customers/*"] },
      { name: "Take payments", allow: ["POST /v1/payment_intents", "POST /v1/payment_intents/*/confirm"] },
    ],
    sdk: { baseUrl: "host" },
  },
  {
    slug: "resend",
    name: "Resend",
    upstream: "https://api.resend.com",
    credential: BEARER,
    requestHeaders: [],
    dialect: "plain",
    presets: [{ name: "Send mail", allow: ["POST /emails", "POST /emails/batch"] }],
    sdk: { baseUrl: "path", env: "RESEND_BASE_URL" },
  },
  {
    slug: "cloudflare",
    name: "Cloudflare",
    upstream: "https://api.cloudflare.com/client/v4",
    credential: BEARER,
    requestHeaders: [STAINLESS],
    dialect: "plain",
    presets: [
      { name: "DNS of one zone", allow: ["* /zones/{zone}/dns_records", "* /zones/{zone}/dns_records/*"] },
      { name: "Read zones", allow: ["GET /zones", "GET /zones/*"] },
    ],
    sdk: { baseUrl: "path", env: "CLOUDFLARE_BASE_URL" },
  },
  {
    slug: "github",
    name: "GitHub",
    upstream: "https://api.github.com",
    credential: BEARER,
    requestHeaders: ["x-github-*"],
    dialect: "octokit",
    presets: [
      {
        name: "Issues of one repository",
        allow: ["* /repos/{owner}/{repo}/issues", "* /repos/{owner}/{repo}/issues/**"],
      },
    ],
    sdk: { baseUrl: "path" },
  },
  {
    slug: "google",
    name: "Google Gemini",
    upstream: "https://generativelanguage.googleapis.com",
    credential: header("x-goog-api-key"),
    requestHeaders: ["x-goog-*"],
    dialect: "plain",
    presets: [{ name: "Generate", allow: ["POST /v1/models/*", "POST /v1beta/models/*"] }],
    sdk: { baseUrl: "path", env: "GOOGLE_GEMINI_BASE_URL" },
  },
  {
    slug: "elevenlabs",
    name: "ElevenLabs",
    upstream: "https://api.elevenlabs.io",
    credential: header("xi-api-key"),
    requestHeaders: ["x-fern-*"],
    dialect: "plain",
    presets: [{ name: "Speech", allow: ["POST /v1/text-to-speech/*", "POST /v1/text-to-speech/*/stream"] }],
    sdk: { baseUrl: "path" },
  },
  {
    slug: "slack",
    name: "Slack",
    upstream: "https://slack.com",
    credential: BEARER,
    requestHeaders: [],
    dialect: "slack",
    presets: [{ name: "Post messages", allow: ["POST /api/chat.postMessage"] }],
    sdk: { baseUrl: "path" },
  },
  {
    slug: "twilio",
    name: "Twilio",
    upstream: "https://api.twilio.com",
    // The secret is "AccountSid:AuthToken".
    credential: { kind: "basic", username: "{secret}", password: "" },
    requestHeaders: ["accept-charset", "x-twilio-*"],
    dialect: "plain",
    presets: [{ name: "Send messages", allow: ["POST /2010-04-01/Accounts/*/Messages.json"] }],
    sdk: { baseUrl: "path" },
  },
  {
    slug: "sendgrid",
    name: "SendGrid",
    upstream: "https://api.sendgrid.com",
    credential: BEARER,
    requestHeaders: [],
    dialect: "plain",
    presets: [{ name: "Send mail", allow: ["POST /v3/mail/send"] }],
    sdk: { baseUrl: "path" },
  },
  {
    slug: "grafana",
    name: "Grafana",
    upstream: "https://grafana.example.com",
    credential: BEARER,
    requestHeaders: ["x-grafana-*"],
    dialect: "plain",
    presets: [{ name: "Read dashboards", allow: ["GET /api/search", "GET /api/dashboards/uid/*"] }],
    sdk: { baseUrl: "path" },
  },
];

export function catalogueEntry(slug: string): CatalogueEntry | null {
  return CATALOGUE.find((entry) => entry.slug === slug) ?? null;
}
