import { readClientIpSource } from "@relaykey/core/client-ip";
import type { ClientIpSource } from "@relaykey/core/client-ip";
import { importTagKey } from "@relaykey/core/token";
import { AuditSink } from "./audit-sink.ts";
import { readKeyring } from "./custody/config.ts";
import type { CustodyEnv } from "./custody/config.ts";
import { EnvelopeOpener } from "./custody/opener.ts";
import { Directory } from "./directory.ts";
import { holderStub } from "./holders.ts";
import { LeaseBook } from "./lease-book.ts";

/** What the seven steps need, parsed once per isolate. Nothing behind this type reads `env` again. */
export interface Dependencies {
  readonly clientIps: ClientIpSource;
  /** Where callers reach the proxy, with its port if it has one. Integrations hang under its host as well. */
  readonly proxyUrl: URL;
  /** Host names of this installation: it must not call itself. */
  readonly ownZones: readonly string[];
  readonly docsUrl: string;
  /** Plain-http loopback upstreams are admitted. Never true on Cloudflare. */
  readonly development: boolean;
  readonly tagKey: CryptoKey;
  readonly opener: EnvelopeOpener;
  readonly directory: Directory;
  readonly leases: LeaseBook;
  readonly audit: AuditSink;
}

/** A binding, variable or secret is missing or malformed; the message names it and says what it must be. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/**
 * Parses the environment into dependencies.
 *
 * @throws ConfigurationError naming the first binding, variable or secret that is missing or malformed.
 */
export async function configure(env: CustodyEnv): Promise<Dependencies> {
  for (const name of ["KEY_HOLDER", "POLICY", "AUDIT_QUEUE", "MAIL_QUEUE", "NOTICE_QUEUE"] as const) {
    if (typeof env[name] !== "object") {
      throw new ConfigurationError(`The binding ${name} is missing: declare it in wrangler.toml.`);
    }
  }
  const edition = text(env, "RELAYKEY_EDITION");
  if (edition !== "cloudflare" && edition !== "local") {
    throw new ConfigurationError(`RELAYKEY_EDITION must be "cloudflare" or "local".`);
  }
  const upstreams = env.RELAYKEY_DEV_UPSTREAMS;
  if (upstreams !== "" && upstreams !== "loopback") {
    throw new ConfigurationError(`RELAYKEY_DEV_UPSTREAMS must be empty or "loopback".`);
  }
  if (upstreams === "loopback" && edition === "cloudflare") {
    throw new ConfigurationError(
      `RELAYKEY_DEV_UPSTREAMS is a development flag: remove it, or set RELAYKEY_EDITION to "local".`,
    );
  }
  const docsUrl = text(env, "RELAYKEY_DOCS_URL");
  if (!URL.canParse(docsUrl)) {
    throw new ConfigurationError("RELAYKEY_DOCS_URL must be an absolute URL.");
  }
  const tagKey = await secret("RELAYKEY_TOKEN_KEY", () => importTagKey(text(env, "RELAYKEY_TOKEN_KEY")));
  text(env, "RELAYKEY_MASTER_KEY");
  const keyring = await readKeyring(env).catch((error: unknown) => {
    throw error instanceof RangeError ? new ConfigurationError(error.message) : error;
  });
  const directory = new Directory(env.POLICY);
  const clientIps = readClientIpSource(edition, optional(env, "RELAYKEY_TRUSTED_PROXIES"));
  if (!clientIps.ok) throw new ConfigurationError(clientIps.detail);
  const proxyUrl = parseProxyUrl(text(env, "RELAYKEY_PROXY_URL"), edition);
  const zone = proxyUrl.hostname;
  return {
    clientIps: clientIps.source,
    proxyUrl,
    // The local edition's upstreams are on this machine, under the same name.
    ownZones: zone === "localhost" ? [] : [zone],
    docsUrl,
    development: upstreams === "loopback",
    tagKey,
    opener: new EnvelopeOpener(keyring, Date.now),
    directory,
    leases: new LeaseBook((locator, request) => holderStub(env, locator).lease(request), directory, Date.now),
    audit: new AuditSink(env.AUDIT_QUEUE),
  };
}

function parseProxyUrl(text: string, edition: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSecure = url?.protocol === "https:" || (edition === "local" && url?.protocol === "http:");
  if (url === null || !isSecure || url.origin !== text.toLowerCase().replace(/\/$/, "")) {
    throw new ConfigurationError("RELAYKEY_PROXY_URL must be an https URL without a path.");
  }
  return url;
}

type TextName = Exclude<keyof Env, "KEY_HOLDER" | "POLICY" | "AUDIT_QUEUE" | "MAIL_QUEUE" | "NOTICE_QUEUE">;

function text(env: Env, name: TextName): string {
  const value = optional(env, name);
  if (value !== "") return value;
  throw new ConfigurationError(`${name} is missing: set it as a variable or secret of this Worker.`);
}

function optional(env: Env, name: TextName): string {
  const value: unknown = env[name];
  return typeof value === "string" ? value : "";
}

async function secret<T>(name: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    // The parser's message describes the form, never the value.
    throw new ConfigurationError(`${name} is malformed: it must be 32 random bytes in base64.`);
  }
}
