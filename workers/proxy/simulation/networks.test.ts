import { beforeAll, describe, expect, test, vi } from "vitest";
import { LeaseBook } from "../lease-book.ts";
import type { StartLease } from "../start-lease.ts";
import { flaw } from "./confirmation/flaw.ts";
import { simulateNetworks } from "./confirmation/world.ts";
import type { NetworkHistory } from "./confirmation/world.ts";
import { withStore } from "./mutants.ts";
import { REAL_PLATFORM } from "./platform.ts";
import { REAL } from "./system.ts";
import type { System } from "./system.ts";

/** More of them with RELAYKEY_NETWORK_SCHEDULES. */
const SCHEDULES = Number(process.env["RELAYKEY_NETWORK_SCHEDULES"] ?? 1_500);
const MUTANT_SCHEDULES = 2_000;
const TIMEOUT_MS = 600_000;

// Refusals for want of a decision are logged, and here they are wanted.
beforeAll(() => {
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
});

describe("a holder's networks, used from many places at once", () => {
  test(
    `${String(SCHEDULES)} schedules of calls, clicks, removals, freezes, crashes and lost messages linearize`,
    async () => {
      const sums = { starts: 0, confirmed: 0, frozen: 0, cuts: 0 };
      for (let seed = 1; seed <= SCHEDULES; seed += 1) {
        const history = await simulateNetworks(seed, REAL);
        expect(history.lateCuts, `seed ${String(seed)}`).toEqual([]);
        const found = flaw(history);
        if (found !== null) throw new Error(`seed ${String(seed)}, ${found}:\n${tell(history)}`);
        for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += history.counts[name];
      }
      console.log(JSON.stringify(sums));
      // A world in which nothing happens would break nothing.
      for (const sum of Object.values(sums)) expect(sum).toBeGreaterThan(SCHEDULES / 10);
    },
    TIMEOUT_MS,
  );

  test.each(Object.entries(mistakes()))(
    "caught: %s",
    async (_, system) => {
      for (let seed = 1; seed <= MUTANT_SCHEDULES; seed += 1) {
        const history = await simulateNetworks(seed, system);
        const found = history.lateCuts.length > 0 ? "late cut" : flaw(history);
        if (found !== null) {
          console.log(`caught by schedule ${String(seed)}: ${found}`);
          return;
        }
      }
      expect.unreachable(`${String(MUTANT_SCHEDULES)} schedules did not show it`);
    },
    TIMEOUT_MS,
  );
});

/** A lease of one network is taken for one of all. */
class AnyNetworkBook extends LeaseBook {
  readonly #seen = new Set<string>();

  override live(hash: string, network: string): StartLease | null {
    this.#seen.add(network);
    const leases = [...this.#seen].map((other) => super.live(hash, other));
    return leases.find((lease) => lease?.block === null) ?? super.live(hash, network);
  }
}

function tell({ operations, reads }: NetworkHistory): string {
  return [...operations, ...reads]
    .sort((one, other) => one.invoked - other.invoked)
    .map((each) => JSON.stringify(each))
    .join("\n");
}

function mistakes(): Record<string, System> {
  return {
    "a network is removed, or confirmed, without waiting for leases": withStore(() => ({ leases: () => [] })),
    "trust lives in the object's memory": withStore((store) => {
      const memory = new Map(store.trusted().map((network) => [network.network, network]));
      return {
        trusted: () => [...memory.values()],
        trustedNetwork: (network) => memory.get(network) ?? null,
        putTrusted: (network) => void memory.set(network.network, network),
        removeTrusted: (network) => void memory.delete(network),
      };
    }),
    "every network is the first": withStore((store) => ({
      notes: () => ({ ...store.notes(), firstUseTaken: false }),
      trusted: () => [],
    })),
    "a freeze does not wait for leases": withStore((store) => ({
      putKey: (key) => {
        store.putKey(key.freezes > 0 ? { ...key, enforcedAt: 0 } : key);
      },
    })),
    "a snapshot that knows nothing of a freeze undoes it": withStore((store) => ({
      putKey: (key) => {
        const known = store.keyById(key.keyId);
        store.putKey(known !== null && key.version > known.version ? { ...key, freezes: 0 } : key);
      },
    })),
    "a used link works again": withStore((store) => ({
      putPending: (entry) => {
        store.putPending(entry.state === "confirmed" ? { ...entry, state: "pending" } : entry);
      },
    })),
    "open answers do not mind where they go": {
      ...REAL,
      watch: (duty) => REAL.watch({ ...duty, judge: (known) => withoutNetwork(duty.judge(known)) }),
    },
    "an isolate takes a lease of one network for one of all": {
      ...REAL,
      makeBook: (ask, directory, now) => new AnyNetworkBook(ask, directory, now),
    },
    "a superseded instance goes on answering": {
      ...REAL,
      platform: { ...REAL_PLATFORM, supersededAnswersAreHeld: false },
    },
  };
}

function withoutNetwork<T extends { readonly ok: boolean }>(verdict: T): T {
  const isOut = !verdict.ok && "reason" in verdict && verdict.reason === "ip_unconfirmed";
  return isOut ? ({ ok: true, value: null } as unknown as T) : verdict;
}
