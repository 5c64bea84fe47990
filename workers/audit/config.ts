import { encodeNotice } from "@relaykey/core/notice";
import type { Notice } from "@relaykey/core/notice";
import { openDatabase } from "@relaykey/db/client";
import type { Database } from "@relaykey/db/client";

export interface Dependencies {
  readonly db: Database;
  /** To the control plane; resolves once it is queued. */
  readonly sendNotice: (notice: Notice) => Promise<void>;
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
  const queue: unknown = env.NOTICE_QUEUE;
  if (typeof queue !== "object" || queue === null) {
    throw new ConfigurationError(
      "The binding NOTICE_QUEUE is missing: declare it in workers/audit/wrangler.toml.",
    );
  }
  return {
    db: openDatabase(url, endpoint),
    sendNotice: async (notice) => {
      await env.NOTICE_QUEUE.send(encodeNotice(notice), { contentType: "text" });
    },
  };
}
