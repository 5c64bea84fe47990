import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WORKERS } from "./build.ts";
import type { Bundle, WorkerName } from "./build.ts";
import { readWorkerSpec } from "./config/worker-spec.ts";
import type { WorkerSpec } from "./config/worker-spec.ts";
import type { Outbound, PlacedWorker } from "./config/workerd.ts";
import { mailOutbound } from "./mail-settings.ts";
import type { MailSettings } from "./mail-settings.ts";
import { siteUrl } from "./ports.ts";
import type { Ports } from "./ports.ts";
import { CUSTODY_SETTINGS, STRIPE_SETTINGS } from "./settings.ts";
import type { Settings } from "./settings.ts";
import type { Secrets } from "./state.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What of a Worker the local edition decides: everything else stands in its wrangler file. */
interface Place {
  /** Bindings that only this edition has. */
  readonly services?: WorkerSpec["services"];
  readonly vars: Readonly<Record<string, string>>;
  /** Exactly what its plane may know. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What only some installations have: beside the secrets that its wrangler file asks for. */
  readonly furtherSecrets?: Readonly<Record<string, string>>;
  readonly outbound: Outbound;
  readonly port: number | null;
}

export interface PlacementFacts {
  readonly ports: Ports;
  readonly operatorPort: number;
  readonly sqlEndpoint: string;
  readonly secrets: Secrets;
  readonly sealingKey: string;
  /** Public half of RELAYKEY_AUDIT_KEY. */
  readonly auditPublicKey: string;
  readonly settings: Settings;
  readonly bundles: readonly Bundle[];
}

/** The one place where the local edition differs from Cloudflare: who listens where, calls whom, and knows what. */
export function placeWorkers(facts: PlacementFacts): PlacedWorker[] {
  const places = decide(facts);
  return WORKERS.map(({ name, config }) => {
    const { services = [], vars, secrets, furtherSecrets = {}, outbound, port } = places[name];
    const bundle = facts.bundles.find((candidate) => candidate.name === name);
    if (bundle === undefined) throw new Error(`${name} was not bundled.`);
    const spec = readWorkerSpec(join(ROOT, config));
    return {
      spec: {
        ...spec,
        services: [...spec.services, ...services],
        secrets: [...spec.secrets, ...Object.keys(furtherSecrets)],
      },
      bundle: bundle.path,
      vars,
      secrets: { ...secrets, ...furtherSecrets },
      outbound,
      listen: port === null ? null : `127.0.0.1:${String(port)}`,
    };
  });
}

function decide({
  ports,
  operatorPort,
  sqlEndpoint,
  secrets,
  sealingKey,
  auditPublicKey,
  settings,
}: PlacementFacts): Record<WorkerName, Place> {
  const nothing: Outbound = { kind: "nothing" };
  const database: Outbound = { kind: "server", address: new URL(sqlEndpoint).host };
  const databaseUrl = `postgres://relaykey:${secrets.SQL_PASSWORD}@127.0.0.1/relaykey`;
  const { publicUrls, trustedProxies, devUpstreams, mail, stripe, custody } = settings;
  const controlUrl = publicUrls?.controlPlane ?? siteUrl(ports.controlPlane);
  const upstreams = devUpstreams ? "loopback" : "";
  return {
    proxy: {
      vars: {
        RELAYKEY_EDITION: "local",
        // By this name because integrations hang under it, and nothing does under an IP address.
        RELAYKEY_PROXY_URL: publicUrls?.proxy ?? `http://localhost:${String(ports.proxy)}`,
        RELAYKEY_DOCS_URL: `${controlUrl}/docs/block-reasons`,
        RELAYKEY_DEV_UPSTREAMS: upstreams,
        RELAYKEY_TRUSTED_PROXIES: trustedProxies,
        ...pick(custody, (name) => CUSTODY_SETTINGS[name] === false),
      },
      secrets: {
        RELAYKEY_TOKEN_KEY: secrets.RELAYKEY_TOKEN_KEY,
        RELAYKEY_MASTER_KEY: secrets.RELAYKEY_MASTER_KEY,
      },
      furtherSecrets: pick(custody, (name) => CUSTODY_SETTINGS[name] === true),
      // Vendors on the internet, and upstreams on this machine; never the private networks around it.
      outbound: { kind: "network", allow: devUpstreams ? ["public", "127.0.0.0/8"] : ["public"] },
      port: ports.proxy,
    },
    audit: {
      vars: { RELAYKEY_SQL_ENDPOINT: sqlEndpoint, RELAYKEY_AUDIT_PUBLIC_KEYS: auditPublicKey },
      secrets: { DATABASE_URL: databaseUrl, RELAYKEY_AUDIT_KEY: secrets.RELAYKEY_AUDIT_KEY },
      outbound: database,
      port: null,
    },
    confirm: {
      services: [{ binding: "OUTBOX", service: "relaykey-outbox", entrypoint: "Outbox" }],
      vars: {
        RELAYKEY_EDITION: "local",
        RELAYKEY_CONFIRM_URL: publicUrls?.confirm ?? siteUrl(ports.confirm),
        RELAYKEY_MAIL_FROM: mail.transport === "outbox" ? "RelayKey <relaykey@localhost>" : mail.from,
        RELAYKEY_MAIL_TRANSPORT: mail.transport,
        RELAYKEY_TRUSTED_PROXIES: trustedProxies,
        RESEND_BASE_URL: mail.transport === "resend" ? (mail.baseUrl ?? "") : "",
      },
      secrets: { RELAYKEY_CONFIRM_KEY: secrets.RELAYKEY_CONFIRM_KEY },
      furtherSecrets: mailSecrets(mail),
      outbound: mailOutbound(mail),
      port: ports.confirm,
    },
    "control-plane": {
      vars: {
        RELAYKEY_EDITION: "local",
        RELAYKEY_CONTROL_URL: controlUrl,
        RELAYKEY_SEALING_KEY: sealingKey,
        RELAYKEY_AUDIT_PUBLIC_KEYS: auditPublicKey,
        RELAYKEY_SQL_ENDPOINT: sqlEndpoint,
        RELAYKEY_PROXY_URL: publicUrls?.proxy ?? siteUrl(ports.proxy),
        RELAYKEY_DEV_UPSTREAMS: upstreams,
        RELAYKEY_TRUSTED_PROXIES: trustedProxies,
        RELAYKEY_ALLOW_INSECURE_COOKIES: controlUrl.startsWith("https:") ? "" : "1",
        ...pick(stripe, (name) => STRIPE_SETTINGS[name] === false),
      },
      furtherSecrets: pick(stripe, (name) => STRIPE_SETTINGS[name] === true),
      secrets: {
        DATABASE_URL: databaseUrl,
        RELAYKEY_TOKEN_KEY: secrets.RELAYKEY_TOKEN_KEY,
        RELAYKEY_CONTROL_KEY: secrets.RELAYKEY_CONTROL_KEY,
      },
      // Webhook receivers on the internet and on this machine, where the database's endpoint is as well.
      outbound: { kind: "network", allow: ["public", "127.0.0.0/8"] },
      port: ports.controlPlane,
    },
    platform: {
      vars: {},
      secrets: { RELAYKEY_PLATFORM_TOKEN: secrets.RELAYKEY_PLATFORM_TOKEN },
      outbound: nothing,
      port: operatorPort,
    },
    outbox: { vars: {}, secrets: {}, outbound: nothing, port: ports.outbox },
    upstream: { vars: {}, secrets: {}, outbound: nothing, port: ports.upstream },
  };
}

function pick(
  values: Readonly<Record<string, string>>,
  isWanted: (name: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => isWanted(name)));
}

function mailSecrets(mail: MailSettings): Record<string, string> {
  switch (mail.transport) {
    case "outbox":
      return {};
    case "smtp":
      return { SMTP_URL: mail.url };
    case "resend":
      return {
        RESEND_API_KEY: mail.apiKey,
        ...(mail.webhookSecret === null ? {} : { RESEND_WEBHOOK_SECRET: mail.webhookSecret }),
      };
  }
}
