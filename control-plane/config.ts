import { readChainKeys } from "@relaykey/core/audit-chain/keys";
import type { ChainKey } from "@relaykey/core/audit-chain/keys";
import { fromAnyBase64, fromBase64Url } from "@relaykey/core/bytes";
import { readClientIpSource } from "@relaykey/core/client-ip";
import type { ClientIpSource, Edition } from "@relaykey/core/client-ip";
import { encodeMail } from "@relaykey/core/mail";
import type { KeyControlApi } from "@relaykey/core/rpc";
import { Secret } from "@relaykey/core/secret";
import { importTagKey } from "@relaykey/core/token";
import { openDatabase } from "@relaykey/db/client";
import { log } from "@relaykey/core/log";
import type { StripeSettings } from "./service/billing/stripe-api.ts";
import type { ServiceDependencies } from "./service/dependencies.ts";

/** What the control plane needs, parsed once per isolate. Nothing behind this type reads `env` again. */
export interface Dependencies extends ServiceDependencies {
  readonly clientIps: ClientIpSource;
  /** Static files of the dashboard. */
  readonly assets: Fetcher;
  /** The session cookie may travel over plain http: the local edition only. */
  readonly insecureCookies: boolean;
  /** Whom to tell of a weakness: a URI. */
  readonly securityContact: string;
}

/** The environment, with the secrets that an installation may do without. */
type ControlPlaneEnv = Env & {
  readonly STRIPE_SECRET_KEY?: string;
  readonly STRIPE_WEBHOOK_SECRET?: string;
};

/** A binding, variable or secret is missing or malformed; the message names it and says what it must be. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

const SEALING_KEY_BYTES = 32;
const CONTROL_KEY_BYTES = 32;

/**
 * Parses the environment into dependencies.
 *
 * @throws ConfigurationError naming the first binding, variable or secret that is missing or malformed.
 */
export async function configure(env: ControlPlaneEnv): Promise<Dependencies> {
  for (const name of ["KEY_CONTROL", "ASSETS", "MAIL_QUEUE"] as const) {
    if (!isBinding(env[name])) {
      throw new ConfigurationError(
        `The binding ${name} is missing: declare it in control-plane/wrangler.toml.`,
      );
    }
  }
  const databaseUrl = text(env, "DATABASE_URL");
  if (!/^postgres(?:ql)?:\/\/./.test(databaseUrl) || !URL.canParse(databaseUrl)) {
    throw new ConfigurationError("DATABASE_URL is malformed: it must be a postgres:// connection string.");
  }
  const sqlEndpoint: unknown = env.RELAYKEY_SQL_ENDPOINT;
  if (typeof sqlEndpoint !== "string" || (sqlEndpoint !== "" && !URL.canParse(sqlEndpoint))) {
    throw new ConfigurationError("RELAYKEY_SQL_ENDPOINT must be empty or a URL.");
  }
  const sealingKey = text(env, "RELAYKEY_SEALING_KEY");
  if (fromBase64Url(sealingKey)?.length !== SEALING_KEY_BYTES) {
    throw new ConfigurationError("RELAYKEY_SEALING_KEY is malformed: it must be 32 bytes in base64url.");
  }
  const edition = text(env, "RELAYKEY_EDITION");
  if (edition !== "cloudflare" && edition !== "local") {
    throw new ConfigurationError(`RELAYKEY_EDITION must be "cloudflare" or "local".`);
  }
  const trustedProxies: unknown = env.RELAYKEY_TRUSTED_PROXIES;
  const clientIps = readClientIpSource(edition, typeof trustedProxies === "string" ? trustedProxies : "");
  if (!clientIps.ok) throw new ConfigurationError(clientIps.detail);
  const proxyUrl = siteUrl(env, "RELAYKEY_PROXY_URL");
  const development = flag(env, "RELAYKEY_DEV_UPSTREAMS", "loopback");
  const insecureCookies = flag(env, "RELAYKEY_ALLOW_INSECURE_COOKIES", "1");
  const controlUrl = siteUrl(env, "RELAYKEY_CONTROL_URL");
  if (development && edition === "cloudflare") {
    throw new ConfigurationError(
      `RELAYKEY_DEV_UPSTREAMS is a development flag: set it to empty, or RELAYKEY_EDITION to "local".`,
    );
  }
  if (insecureCookies && (edition === "cloudflare" || controlUrl.startsWith("https:"))) {
    throw new ConfigurationError(
      "RELAYKEY_ALLOW_INSECURE_COOKIES is a development flag: set it to empty where RELAYKEY_CONTROL_URL is https.",
    );
  }
  return {
    db: openDatabase(databaseUrl, sqlEndpoint),
    keyControl: keyControl(env.KEY_CONTROL),
    sendMail: async (message) => {
      await env.MAIL_QUEUE.send(encodeMail(message), { contentType: "text" });
    },
    now: Date.now,
    sealingKey,
    chainKeys: await chainKeys(env),
    tagKey: await readTagKey(env),
    controlKey: await readControlKey(env),
    development,
    proxyUrl,
    controlUrl,
    clientIps: clientIps.source,
    stripe: readStripe(env, edition, controlUrl),
    log,
    assets: env.ASSETS,
    insecureCookies,
    securityContact: contactUri(env),
  };
}

type TextName = Exclude<keyof ControlPlaneEnv, "KEY_CONTROL" | "ASSETS" | "MAIL_QUEUE">;

function text(env: ControlPlaneEnv, name: TextName): string {
  const value: unknown = env[name];
  if (typeof value !== "string" || value === "") {
    throw new ConfigurationError(`${name} is missing: set it as a variable or secret of this Worker.`);
  }
  return value;
}

function flag(env: ControlPlaneEnv, name: TextName, on: string): boolean {
  const value: unknown = env[name];
  if (value !== "" && value !== on) throw new ConfigurationError(`${name} must be empty or "${on}".`);
  return value === on;
}

function siteUrl(env: ControlPlaneEnv, name: TextName): string {
  const url = text(env, name);
  if (/^https?:\/\/[^/?#]+$/.test(url)) return url;
  throw new ConfigurationError(`${name} is malformed: it must be a URL without a path.`);
}

function contactUri(env: ControlPlaneEnv): string {
  const contact = text(env, "RELAYKEY_SECURITY_CONTACT");
  if (/^(?:mailto:|https:\/\/)[\x21-\x7e]+$/.test(contact)) return contact;
  throw new ConfigurationError("RELAYKEY_SECURITY_CONTACT is malformed: it must be a mailto: or https: URI.");
}

/** All of it, and its form. */
const STRIPE_SETTINGS = {
  STRIPE_SECRET_KEY: { form: /^[rs]k_(?:test|live)_\w+$/, what: "the sk_… or rk_… that Stripe shows" },
  STRIPE_WEBHOOK_SECRET: { form: /^whsec_[\w+/=-]{16,}$/, what: "the whsec_… of the endpoint at Stripe" },
  STRIPE_PRICE_BUILDER: { form: /^price_\w+$/, what: "the id of a price, price_…" },
  STRIPE_PRICE_TEAM: { form: /^price_\w+$/, what: "the id of a price, price_…" },
  STRIPE_PRICE_BUSINESS: { form: /^price_\w+$/, what: "the id of a price, price_…" },
} as const;

/** Half a configuration would take money and change no plan, or the other way round. */
function readStripe(env: ControlPlaneEnv, edition: Edition, controlUrl: string): StripeSettings | null {
  const names = Object.keys(STRIPE_SETTINGS) as (keyof typeof STRIPE_SETTINGS)[];
  const missing = names.filter((name) => (env[name] ?? "") === "");
  const override = readStripeUrl(env, edition, controlUrl);
  if (missing.length === names.length && override === null) return null;
  if (missing.length > 0) {
    throw new ConfigurationError(
      `Stripe is configured in part: set ${missing.join(", ")} too, or none of it.`,
    );
  }
  for (const name of names) {
    const { form, what } = STRIPE_SETTINGS[name];
    if (!form.test(text(env, name)))
      throw new ConfigurationError(`${name} is malformed: it must be ${what}.`);
  }
  const prices = {
    builder: env.STRIPE_PRICE_BUILDER,
    team: env.STRIPE_PRICE_TEAM,
    business: env.STRIPE_PRICE_BUSINESS,
  };
  if (new Set(Object.values(prices)).size < Object.keys(prices).length) {
    throw new ConfigurationError("STRIPE_PRICE_BUILDER, _TEAM and _BUSINESS must be three prices.");
  }
  return {
    secretKey: new Secret(text(env, "STRIPE_SECRET_KEY")),
    webhookSecret: new Secret(text(env, "STRIPE_WEBHOOK_SECRET")),
    prices,
    apiUrl: override ?? STRIPE_URL,
    pageOrigins: override === null ? STRIPE_PAGES : [override],
  };
}

const STRIPE_URL = "https://api.stripe.com";
const STRIPE_PAGES = ["https://checkout.stripe.com", "https://billing.stripe.com"];

/** Whoever answers there gets the secret key and decides on plans: a program on this machine, and only in development. */
function readStripeUrl(env: ControlPlaneEnv, edition: Edition, controlUrl: string): string | null {
  const url: unknown = env.STRIPE_API_URL;
  if (url === undefined || url === "") return null;
  const isDevelopment = edition === "local" && controlUrl.startsWith("http:");
  if (isDevelopment && typeof url === "string" && /^http:\/\/127\.0\.0\.1:\d{1,5}$/.test(url)) return url;
  throw new ConfigurationError(
    `STRIPE_API_URL is a development flag: set it to empty. With RELAYKEY_EDITION "local" and a RELAYKEY_CONTROL_URL that is plain http it may be http://127.0.0.1:PORT.`,
  );
}

async function chainKeys(env: ControlPlaneEnv): Promise<readonly ChainKey[]> {
  const keys = await readChainKeys(text(env, "RELAYKEY_AUDIT_PUBLIC_KEYS"));
  if (keys !== null) return keys;
  throw new ConfigurationError(
    "RELAYKEY_AUDIT_PUBLIC_KEYS is malformed: it must be public keys in base64url, separated by commas.",
  );
}

async function readControlKey(env: ControlPlaneEnv): Promise<CryptoKey> {
  const bytes = fromAnyBase64(text(env, "RELAYKEY_CONTROL_KEY"));
  if (bytes?.length !== CONTROL_KEY_BYTES) {
    throw new ConfigurationError("RELAYKEY_CONTROL_KEY is malformed: it must be 32 random bytes in base64.");
  }
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

async function readTagKey(env: ControlPlaneEnv): Promise<CryptoKey> {
  const encoded = text(env, "RELAYKEY_TOKEN_KEY");
  try {
    return await importTagKey(encoded);
  } catch {
    // The parser's message describes the form, never the value; this one names the secret as well.
    throw new ConfigurationError("RELAYKEY_TOKEN_KEY is malformed: it must be 32 random bytes in base64.");
  }
}

/** The generated type knows the binding as a bare service: what it answers is agreed in core/rpc. */
function keyControl(binding: Service): KeyControlApi {
  const stub = binding as unknown as KeyControlApi;
  return {
    apply: (snapshot) => stub.apply(snapshot),
    // Only the three names cross the boundary, whatever else the caller's object holds.
    revoke: ({ holderLocator, keyId, tokenHash }, version) =>
      stub.revoke({ holderLocator, keyId, tokenHash }, version),
    inspect: ({ holderLocator, keyId, tokenHash }) => stub.inspect({ holderLocator, keyId, tokenHash }),
    probe: (order) => stub.probe(order),
    proveCustody: (order) => stub.proveCustody(order),
    rewrap: (order) => stub.rewrap(order),
    networks: (locator) => stub.networks(locator),
    approveNetwork: (locator, network) => stub.approveNetwork(locator, network),
    removeNetwork: (locator, network) => stub.removeNetwork(locator, network),
    dismissPending: (locator, pendingId) => stub.dismissPending(locator, pendingId),
    mailReview: (locator) => stub.mailReview(locator),
    ping: () => stub.ping(),
  };
}

function isBinding(value: unknown): boolean {
  return typeof value === "object" || typeof value === "function";
}
