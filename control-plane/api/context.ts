import type { Context } from "hono";
import type { Secret } from "@relaykey/core/secret";
import type { Caller } from "../service/caller.ts";

/** What every handler of the API finds in its context. */
export interface ApiEnv {
  Bindings: {
    readonly requestId: string;
    /** The caller's canonical address; null when it cannot be told. */
    readonly ip: string | null;
  };
  Variables: {
    /** Who is asking; set once the token is verified. */
    caller: Caller;
    /** The verified token itself: what only its owner can open again is encrypted under it. */
    tokenText: Secret;
  };
}

export type ApiContext = Context<ApiEnv>;
