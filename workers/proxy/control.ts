import { WorkerEntrypoint } from "cloudflare:workers";
import { decodeProbeOrder } from "@relaykey/core/probe";
import type { ProbeResult } from "@relaykey/core/probe";
import type {
  EnforcementReceipt,
  HolderNetworks,
  KeyControlApi,
  KeyInspection,
  KeyRef,
} from "@relaykey/core/rpc";
import { decodeSnapshot } from "@relaykey/core/snapshot";
import { configure } from "./config.ts";
import { policyCacheKey } from "./directory.ts";
import { holderStub } from "./holders.ts";
import { probe } from "./probe.ts";

/** Changes that may overtake one copy before the caller has to ask again. */
const MAX_COPIES = 5;

/**
 * All that the control plane may ask of the data plane: make a policy hold, end a key, look at its enforcement state, try
 * a sealed vendor key. It cannot read a vendor key, a lease or another binding. A rejected call means "not enforced": the caller shows the
 * change as pending and asks again.
 */
export class KeyControl extends WorkerEntrypoint<Env> implements KeyControlApi {
  async apply(snapshot: string): Promise<EnforcementReceipt> {
    const decoded = decodeSnapshot(snapshot);
    if (!decoded.ok) throw new TypeError(`The policy snapshot cannot be read: ${decoded.error}`);
    const { holderLocator, keyId, tokenHash } = decoded.snapshot;
    const receipt = await holderStub(this.env, holderLocator).apply(snapshot);
    await this.#cache({ holderLocator, keyId, tokenHash });
    return receipt;
  }

  async revoke(ref: KeyRef, version: number): Promise<EnforcementReceipt> {
    const receipt = await holderStub(this.env, ref.holderLocator).revoke(ref, version);
    await this.#cache(ref);
    return receipt;
  }

  async inspect(ref: KeyRef): Promise<KeyInspection | null> {
    return holderStub(this.env, ref.holderLocator).inspect(ref);
  }

  async probe(order: string): Promise<ProbeResult> {
    return probe(decodeProbeOrder(order), await configure(this.env));
  }

  networks(): Promise<HolderNetworks> {
    return Promise.reject(new Error("not built"));
  }

  approveNetwork(): Promise<void> {
    return Promise.reject(new Error("not built"));
  }

  removeNetwork(): Promise<boolean> {
    return Promise.reject(new Error("not built"));
  }

  dismissPending(): Promise<boolean> {
    return Promise.reject(new Error("not built"));
  }

  ping(): Promise<"ok"> {
    return Promise.resolve("ok");
  }

  /**
   * Copies what the object holds into KV, and looks again: of two copies under way at once the older may land last, so
   * each is followed by a look that would see the newer. Keys that are enforced at the edge live by this copy.
   */
  async #cache(ref: KeyRef): Promise<void> {
    const key = policyCacheKey(ref.tokenHash);
    const holder = holderStub(this.env, ref.holderLocator);
    let current = await holder.snapshot(ref.keyId);
    for (let attempt = 0; attempt < MAX_COPIES; attempt += 1) {
      await (current === null ? this.env.POLICY.delete(key) : this.env.POLICY.put(key, current));
      const newest = await holder.snapshot(ref.keyId);
      if (newest === current) return;
      current = newest;
    }
    throw new Error("The policy changed faster than it could be copied.");
  }
}
