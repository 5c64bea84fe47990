import type { KeyControlApi } from "@relaykey/core/rpc";
import { fromBase64Url } from "@relaykey/core/bytes";
import { importTagKey } from "@relaykey/core/token";
import { openDatabase } from "@relaykey/db/client";
import type { Database } from "@relaykey/db/client";

/** What the control plane needs, parsed once per isolate. */
export interface Dependencies {
  readonly db: Database;
  readonly keyControl: KeyControlApi;
  /** Public half: seals vendor keys for the proxy. */
  readonly sealingKey: string;
  readonly tagKey: CryptoKey;
  readonly proxyUrl: string;
  /** Plain-http loopback upstreams and cookies are admitted. */
  readonly development: boolean;
  readonly insecureCookies: boolean;
  readonly now: () => Date;
}

/** A binding, variable or secret is missing or malformed; the message names it. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** @throws ConfigurationError naming the first thing that is missing or malformed. */
export async function configure(env: Env): Promise<Dependencies> {
  const keyControl: unknown = env.KEY_CONTROL;
  if (typeof keyControl !== "object" || keyControl === null) {
    throw new ConfigurationError("The binding KEY_CONTROL is missing: declare it in control-plane/wrangler.toml.");
  }
  const databaseUrl = text(env, "DATABASE_URL");
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) {
    throw new ConfigurationError("DATABASE_URL must be a postgres:// connection string.");
  }
  const sealingKey = text(env, "RELAYKEY_SEALING_KEY");
  if (fromBase64Url(sealingKey)?.length !== 32) {
    throw new ConfigurationError("RELAYKEY_SEALING_KEY must be the proxy's public key: 32 bytes in base64url.");
  }
  const proxyUrl = text(env, "RELAYKEY_PROXY_URL");
  if (!URL.canParse(proxyUrl)) throw new ConfigurationError("RELAYKEY_PROXY_URL must be an absolute URL.");
  const development = env.RELAYKEY_DEV_UPSTREAMS === "loopback";
  if (!development && env.RELAYKEY_ALLOW_INSECURE_COOKIES === "1") {
    throw new ConfigurationError("RELAYKEY_ALLOW_INSECURE_COOKIES is for the local edition only: remove it.");
  }
  const tagKey = await importTagKey(text(env, "RELAYKEY_TOKEN_KEY")).catch(() => {
    throw new ConfigurationError("RELAYKEY_TOKEN_KEY must be 32 random bytes in base64.");
  });
  return {
    db: openDatabase(databaseUrl, env.RELAYKEY_SQL_ENDPOINT),
    keyControl: env.KEY_CONTROL as unknown as KeyControlApi,
    sealingKey,
    tagKey,
    proxyUrl,
    development,
    insecureCookies: env.RELAYKEY_ALLOW_INSECURE_COOKIES === "1",
    now: () => new Date(),
  };
}

function text(env: Env, name: "DATABASE_URL" | "RELAYKEY_SEALING_KEY" | "RELAYKEY_PROXY_URL" | "RELAYKEY_TOKEN_KEY"): string {
  const value: unknown = env[name];
  if (typeof value !== "string" || value === "") {
    throw new ConfigurationError(`${name} is missing: set it as a variable or secret of this Worker.`);
  }
  return value;
}
