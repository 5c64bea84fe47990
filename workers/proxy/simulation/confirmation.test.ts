import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HolderStore } from "../objects/holder-store.ts";
import { Bench } from "./confirmation/bench.ts";
import { histories } from "./confirmation/commands.ts";
import { personsKey } from "./confirmation/keys.ts";
import { Model } from "./confirmation/model.ts";
import { withMethods } from "./mutants.ts";

/** More of them with RELAYKEY_CONFIRMATION_RUNS. */
const RUNS = Number(process.env["RELAYKEY_CONFIRMATION_RUNS"] ?? 1_500);
const TIMEOUT_MS = 300_000;

type Disturb = (store: HolderStore) => HolderStore;

/** Runs histories on a holder and the model beside it. Throws where they differ. */
async function compare(trustDays: number | null, runs: number, disturb?: Disturb): Promise<void> {
  await fc.assert(
    fc.asyncProperty(histories(trustDays), async (commands) => {
      const bench = new Bench(disturb);
      await bench.holder.apply(personsKey(1, { confirmation: { trustDays } }));
      await fc.asyncModelRun(() => ({ model: new Model(bench.now, trustDays), real: bench }), commands);
    }),
    { numRuns: runs },
  );
}

describe("a holder's networks do what the plain model says", () => {
  test.each([null, 2])(
    `${String(RUNS)} histories, trust that lasts %s days`,
    (trustDays) => compare(trustDays, RUNS),
    TIMEOUT_MS,
  );
});

test("G6: a holder who began in a preapproved network has had the first use", async () => {
  const bench = new Bench();
  await bench.holder.apply(personsKey(1, { confirmation: { preapproved: ["203.0.113.0/24"] } }));
  expect(bench.holder.networks.list().firstUse).toBe(true);
  expect(bench.ask("203.0.113.1").block).toBeNull();
  expect(bench.holder.networks.list()).toMatchObject({ trusted: [], firstUse: false });
  expect(bench.ask("198.51.100.1").block).toBe("ip_unconfirmed");
});

test("only a request takes the first use, not a look at whether a preapproved network is still admitted", async () => {
  const bench = new Bench();
  await bench.holder.apply(personsKey(1, { confirmation: { preapproved: ["203.0.113.0/24"] } }));
  bench.ask("203.0.113.1", null, 0);
  expect(bench.ask("198.51.100.1").block).toBeNull();
});

test("a freeze holds also where more of them were lifted than there were", async () => {
  const bench = new Bench();
  await bench.holder.apply(personsKey(1, { freezesLifted: 3 }));
  bench.ask("203.0.113.1");
  bench.ask("203.0.113.2");
  const link = bench.mail(bench.store.pending()[0]?.id ?? "") ?? "";
  expect((await bench.holder.networks.reject(link)).state).toBe("frozen_now");
  expect(bench.ask("203.0.113.1").snapshot).toContain('"state":"frozen"');
  await bench.holder.apply(personsKey(2, { freezesLifted: 3 }));
  expect(bench.ask("203.0.113.1").snapshot).toContain('"state":"frozen"');
});

const MISTAKES: Record<string, Disturb> = {
  "a link that was used works again": (store) =>
    withMethods(store, {
      putPending: (entry) => {
        store.putPending(entry.state === "confirmed" ? { ...entry, state: "pending" } : entry);
      },
    }),
  "after the last network was removed the next is the first again": (store) =>
    withMethods(store, { notes: () => ({ ...store.notes(), firstUseTaken: false }) }),
  "links do not expire": (store) =>
    withMethods(store, {
      link: (hash) => {
        const link = store.link(hash);
        return link === null ? null : { ...link, expiresAt: Infinity };
      },
      pendingById: (id) => {
        const entry = store.pendingById(id);
        return entry === null ? null : { ...entry, expiresAt: Infinity };
      },
      pendingOf: (network) => store.pendingOf(network).map((entry) => ({ ...entry, expiresAt: Infinity })),
    }),
  "each link lives as long as the newest": (store) =>
    withMethods(store, {
      link: (hash) => {
        const link = store.link(hash);
        return link === null ? null : { ...link, expiresAt: Infinity };
      },
    }),
  "wrong numbers are not counted": (store) =>
    withMethods(store, {
      putPending: (entry) => {
        store.putPending({ ...entry, mismatches: 0 });
      },
    }),
  "a snapshot that knows nothing of a freeze undoes it": (store) =>
    withMethods(store, {
      putKey: (key) => {
        const known = store.keyById(key.keyId);
        store.putKey(known === null || key.version > known.version ? { ...key, freezes: 0 } : key);
      },
    }),
  "a freeze is undone by the next one": (store) =>
    withMethods(store, {
      putKey: (key) => {
        store.putKey({ ...key, freezes: Math.min(1, key.freezes) });
      },
    }),
  "a dismissed entry can still be confirmed": (store) =>
    withMethods(store, { removePending: () => undefined }),
  "trusted networks do not age": (store) =>
    withMethods(store, {
      trustedNetwork: (network) => {
        const trusted = store.trustedNetwork(network);
        return trusted === null ? null : { ...trusted, lastSeen: Infinity };
      },
    }),
  "removing a network removes nothing": (store) => withMethods(store, { removeTrusted: () => undefined }),
  "a second network at the same time needs no number": (store) =>
    withMethods(store, {
      putPending: (entry) => {
        store.putPending({ ...entry, matching: false });
      },
    }),
};

describe("mistakes are found", () => {
  test.each(Object.entries(MISTAKES))(
    "%s",
    async (_, disturb) => {
      const found = await Promise.allSettled([compare(null, RUNS, disturb), compare(2, RUNS, disturb)]);
      expect(found.some(({ status }) => status === "rejected")).toBe(true);
    },
    TIMEOUT_MS,
  );
});
