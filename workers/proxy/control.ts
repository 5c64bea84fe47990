import { WorkerEntrypoint } from "cloudflare:workers";
import { proveCustody, rewrap } from "@relaykey/core/custody/answers";
import { decodeChallengeOrder, decodeRewrapOrder } from "@relaykey/core/custody/orders";
import type { ChallengeResult, RewrapResult } from "@relaykey/core/custody/orders";
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
import { holderStub } from "./holders.ts";
import { copyPolicy } from "./policy-cache.ts";
import { probe } from "./probe.ts";

/**
 * All that the control plane may ask of the data plane: make a policy hold, end a key, look at its enforcement state, try
 * a sealed vendor key, wrap one for another key, say from where a holder's keys may be used. It cannot read a vendor key, a lease or another binding. A rejected call means
 * "not enforced": the caller shows the change as pending and asks again.
 */
export class KeyControl extends WorkerEntrypoint<Env> implements KeyControlApi {
  async apply(snapshot: string): Promise<EnforcementReceipt> {
    const decoded = decodeSnapshot(snapshot);
    if (!decoded.ok) throw new TypeError(`The policy snapshot cannot be read: ${decoded.error}`);
    const { holderLocator, keyId, tokenHash } = decoded.snapshot;
    const receipt = await holderStub(this.env, holderLocator).apply(snapshot);
    await copyPolicy(this.env, { holderLocator, keyId, tokenHash });
    return receipt;
  }

  async revoke(ref: KeyRef, version: number): Promise<EnforcementReceipt> {
    const receipt = await holderStub(this.env, ref.holderLocator).revoke(ref, version);
    await copyPolicy(this.env, ref);
    return receipt;
  }

  async inspect(ref: KeyRef): Promise<KeyInspection | null> {
    return holderStub(this.env, ref.holderLocator).inspect(ref);
  }

  async probe(order: string): Promise<ProbeResult> {
    const deps = await configure(this.env);
    return probe(decodeProbeOrder(order), { ...deps, keyring: deps.opener.keyring });
  }

  async proveCustody(order: string): Promise<ChallengeResult> {
    const { opener } = await configure(this.env);
    return proveCustody(decodeChallengeOrder(order), opener.keyring);
  }

  async rewrap(order: string): Promise<RewrapResult> {
    const { opener } = await configure(this.env);
    return rewrap(decodeRewrapOrder(order), opener.keyring);
  }

  async networks(holderLocator: string): Promise<HolderNetworks> {
    return holderStub(this.env, holderLocator).networks();
  }

  async approveNetwork(holderLocator: string, network: string): Promise<string> {
    return holderStub(this.env, holderLocator).approveNetwork(network);
  }

  async removeNetwork(holderLocator: string, network: string): Promise<boolean> {
    return holderStub(this.env, holderLocator).removeNetwork(network);
  }

  async dismissPending(holderLocator: string, pendingId: string): Promise<boolean> {
    return holderStub(this.env, holderLocator).dismissPending(pendingId);
  }

  async mailReview(holderLocator: string): Promise<void> {
    await holderStub(this.env, holderLocator).askForReview(holderLocator);
  }

  ping(): Promise<"ok"> {
    return Promise.resolve("ok");
  }
}
