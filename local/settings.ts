import { readClientIpSource } from "@relaykey/core/client-ip";
import { StartError } from "./config/error.ts";
import { readMailSettings } from "./mail-settings.ts";
import type { MailSettings } from "./mail-settings.ts";

/** What whoever starts an installation decides, as environment variables. */
export interface Settings {
  /** Where people and programs reach it; null: on this machine only, by its own ports. */
  readonly publicUrls: PublicUrls | null;
  /** As RELAYKEY_TRUSTED_PROXIES says it. */
  readonly trustedProxies: string;
  /** Upstreams on this machine are admitted, and the demo is there. */
  readonly devUpstreams: boolean;
  readonly mail: MailSettings;
  /** Those of STRIPE_SETTINGS that are set. The control plane says what is missing or malformed. */
  readonly stripe: Readonly<Record<string, string>>;
  /** Those of CUSTODY_SETTINGS that are set. The proxy says what is missing or malformed. */
  readonly custody: Readonly<Record<string, string>>;
}

/** By name, whether it is a secret. */
export const CUSTODY_SETTINGS: Readonly<Record<string, boolean>> = {
  RELAYKEY_AWS_ACCESS_KEY_ID: true,
  RELAYKEY_AWS_SECRET_ACCESS_KEY: true,
  RELAYKEY_MASTER_KEY_PREVIOUS: true,
  RELAYKEY_KMS_ENDPOINT: false,
};

/** By name, whether it is a secret. */
export const STRIPE_SETTINGS: Readonly<Record<string, boolean>> = {
  STRIPE_SECRET_KEY: true,
  STRIPE_WEBHOOK_SECRET: true,
  STRIPE_PRICE_BUILDER: false,
  STRIPE_PRICE_TEAM: false,
  STRIPE_PRICE_BUSINESS: false,
  STRIPE_API_URL: false,
};

export interface PublicUrls {
  readonly proxy: string;
  readonly controlPlane: string;
  readonly confirm: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** This machine only: mail stays in the outbox, and the demo upstream answers. */
export const EVALUATION: Settings = {
  publicUrls: null,
  trustedProxies: "",
  devUpstreams: true,
  mail: { transport: "outbox" },
  stripe: {},
  custody: {},
};

const PUBLIC_URLS = {
  proxy: "RELAYKEY_PROXY_URL",
  controlPlane: "RELAYKEY_CONTROL_URL",
  confirm: "RELAYKEY_CONFIRM_URL",
} as const satisfies Record<keyof PublicUrls, string>;

/** What may be plain http, because nobody is between. */
const LOOPBACK_URL = /^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?$/;

/** @throws StartError naming the first variable that is missing or malformed. No value is repeated. */
export function readSettings(environment: Environment): Settings {
  const trustedProxies = environment["RELAYKEY_TRUSTED_PROXIES"] ?? "";
  const clientIps = readClientIpSource("local", trustedProxies);
  if (!clientIps.ok) throw new StartError(clientIps.detail);
  const publicUrls = readPublicUrls(environment);
  return {
    publicUrls,
    trustedProxies,
    devUpstreams: readDevUpstreams(environment, publicUrls),
    mail: readMailSettings(environment),
    stripe: readStripe(environment),
    custody: readAll(environment, CUSTODY_SETTINGS),
  };
}

/** Another program's account at Stripe is none of ours: without a price of a plan there is nothing to read. */
function readStripe(environment: Environment): Record<string, string> {
  const isMeant = Object.keys(STRIPE_SETTINGS).some(
    (name) => name.startsWith("STRIPE_PRICE_") && (environment[name] ?? "") !== "",
  );
  if (!isMeant) return {};
  return readAll(environment, STRIPE_SETTINGS);
}

function readAll(
  environment: Environment,
  settings: Readonly<Record<string, boolean>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.keys(settings).flatMap((name) => {
      const value = environment[name] ?? "";
      return value === "" ? [] : [[name, value]];
    }),
  );
}

function readPublicUrls(environment: Environment): PublicUrls | null {
  const names = Object.values(PUBLIC_URLS);
  const missing = names.filter((name) => (environment[name] ?? "") === "");
  if (missing.length === names.length) return null;
  if (missing.length > 0) {
    throw new StartError(
      `${missing.join(" and ")} must be set too: set ${names.join(", ")}, or none of them.`,
    );
  }
  for (const name of names) {
    const text = environment[name] ?? "";
    const url = URL.canParse(text) ? new URL(text) : null;
    const isSecure = url?.protocol === "https:" || LOOPBACK_URL.test(text);
    if (url?.origin !== text || !isSecure) {
      throw new StartError(`${name} must be an https URL without a path, as in https://keys.example.com.`);
    }
  }
  if (new Set(names.map((name) => environment[name])).size < names.length) {
    throw new StartError(`${names.join(", ")} must be three different addresses.`);
  }
  return {
    proxy: environment[PUBLIC_URLS.proxy] ?? "",
    controlPlane: environment[PUBLIC_URLS.controlPlane] ?? "",
    confirm: environment[PUBLIC_URLS.confirm] ?? "",
  };
}

/** An evaluation calls the demo on this machine. Who has an address for others says so if it shall, too. */
function readDevUpstreams(environment: Environment, publicUrls: PublicUrls | null): boolean {
  const text = environment["RELAYKEY_DEV_UPSTREAMS"] ?? "";
  if (text !== "" && text !== "loopback") {
    throw new StartError(`RELAYKEY_DEV_UPSTREAMS must be empty or "loopback".`);
  }
  return text === "loopback" || publicUrls === null;
}
