import { DurableObject } from "cloudflare:workers";
import type { EnforcementReceipt, KeyInspection, KeyRef } from "@relaykey/core/rpc";
import { Holder } from "./holder.ts";
import { SqliteHolderStore } from "./holder-store.ts";
import type { LeaseAnswer, LeaseRequest } from "./lease.ts";

/** The Durable Object of one key holder, named by the holder's locator: `Holder` over SQLite and the real clock. */
export class KeyHolder extends DurableObject<Env> {
  readonly #holder: Holder;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#holder = new Holder(new SqliteHolderStore(state.storage.sql), {
      now: () => Date.now(),
      wait: (ms) => scheduler.wait(ms),
      incarnation: crypto.randomUUID(),
    });
  }

  lease(request: LeaseRequest): LeaseAnswer {
    return this.#holder.lease(request);
  }

  apply(snapshot: string): Promise<EnforcementReceipt> {
    return this.#holder.apply(snapshot);
  }

  revoke(ref: KeyRef, version: number): Promise<EnforcementReceipt> {
    return this.#holder.revoke(ref, version);
  }

  snapshot(keyId: string): string | null {
    return this.#holder.snapshot(keyId);
  }

  inspect(ref: KeyRef): KeyInspection | null {
    return this.#holder.inspect(ref);
  }
}
