import { openDatabase } from "@relaykey/db/client";
import type { Database } from "@relaykey/db/client";

export interface Dependencies {
  readonly db: Database;
}

/** A variable or secret is missing or malformed; the message names it. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/** @throws ConfigurationError naming what is missing or malformed. */
export function configure(env: Env): Dependencies {
  const url: unknown = env.DATABASE_URL;
  if (typeof url !== "string" || !/^postgres(ql)?:\/\//.test(url)) {
    throw new ConfigurationError(
      "DATABASE_URL is missing or malformed: it must be a postgres:// connection string.",
    );
  }
  const endpoint: unknown = env.RELAYKEY_SQL_ENDPOINT;
  if (typeof endpoint !== "string" || (endpoint !== "" && !URL.canParse(endpoint))) {
    throw new ConfigurationError("RELAYKEY_SQL_ENDPOINT must be empty or a URL.");
  }
  return { db: openDatabase(url, endpoint) };
}
