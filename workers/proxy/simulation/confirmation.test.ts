import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalIp } from "@relaykey/core/ip";
import type { HolderStore } from "../objects/holder-store.ts";
import { Bench } from "./confirmation/bench.ts";
import { histories } from "./confirmation/commands.ts";
import { PERSONS_KEY, personsKey } from "./confirmation/keys.ts";
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

describe("a holder looks through the own networks", () => {
  const HOME = "203.0.113.1";

  async function reviewing(): Promise<{ bench: Bench; review: string }> {
    const bench = new Bench();
    await bench.holder.apply(personsKey(1));
    expect(bench.ask(HOME).block).toBeNull();
    return { bench, review: bench.reviewMail() ?? "" };
  }

  test("and takes one back: admins are told, once", async () => {
    const { bench, review } = await reviewing();
    bench.takeMessages();
    expect((await bench.holder.networks.review.remove(review, HOME)).state).toBe("removed_now");
    expect((await bench.holder.networks.review.remove(review, HOME)).state).toBe("not_trusted");
    expect(bench.ask(HOME).block).toBe("ip_unconfirmed");
    const notices = bench.takeMessages().filter(({ body }) => body["type"] === "holder.network_removed");
    expect(notices).toMatchObject([{ body: { keyId: null, data: { holder: "Ada", network: HOME } } }]);
  });

  test("and is told when an admin's block still lets in what was taken back", async () => {
    const { bench, review } = await reviewing();
    await bench.holder.networks.approve("203.0.113.0/24");
    expect((await bench.holder.networks.review.remove(review, HOME)).state).toBe("covered");
    expect((await bench.holder.networks.review.remove(review, "203.0.113.0/24")).state).toBe("approved");
    expect(bench.ask(HOME).block).toBeNull();
  });

  test("after a few mails the mailbox is spared, and mail about new networks goes on", async () => {
    const { bench } = await reviewing();
    expect([1, 2, 3, 4].map(() => bench.reviewMail() !== null)).toEqual([true, true, false, false]);
    expect(bench.hint("203.0.113.2").mail).toBe("sent");
    bench.now += 30 * 60_000;
    expect(bench.reviewMail()).not.toBeNull();
  });

  test.each([
    ["has no address", { email: null }],
    ["gets no mail any more", { mailable: false }],
  ])("no mail goes to one who %s", async (_name, change) => {
    const bench = new Bench();
    await bench.holder.apply(personsKey(1, change));
    expect(bench.reviewMail()).toBeNull();
  });

  test("a link of one kind is none of the other", async () => {
    const { bench, review } = await reviewing();
    bench.ask("203.0.113.2");
    const link = bench.mail(bench.store.pending()[0]?.id ?? "") ?? "";
    const { networks } = bench.holder;
    expect(networks.review.view(link)).toEqual({ state: "ended" });
    expect((await networks.review.freeze(link, PERSONS_KEY.keyId)).state).toBe("ended");
    expect((await networks.confirm(review, null)).state).toBe("unknown");
    // Before the address is answered for, its link opens nothing.
    expect(networks.review.open(link, "opened")).toBe(false);
    expect((await networks.confirm(link, null)).state).toBe("confirmed_now");
    expect(networks.review.open(link, "opened")).toBe(true);
  });

  test("of many links the last ones work", async () => {
    const { bench } = await reviewing();
    bench.ask("203.0.113.2");
    const link = bench.mail(bench.store.pending()[0]?.id ?? "") ?? "";
    const { networks } = bench.holder;
    await networks.confirm(link, null);
    const opened = Array.from({ length: 40 }, (_, index) => `opened ${String(index)}`);
    for (const hash of opened) {
      bench.now += 1;
      networks.review.open(link, hash);
    }
    expect(bench.store.reviewLinks().length).toBeLessThanOrEqual(16);
    expect(networks.review.view(opened.at(-1) ?? "").state).toBe("open");
  });
});

describe("an IPv6 prefix that counts as one client and is made narrower", () => {
  const HOME = "2001:db8:1:2::3";
  const NEIGHBOUR = "2001:db8:1:9::3";

  async function count(bench: Bench, version: number, v6Prefix: number): Promise<void> {
    await bench.holder.apply(personsKey(version, { confirmation: { v6Prefix } }));
  }

  function call(bench: Bench, address: string, v6Prefix: number): string | null {
    const network = canonicalIp(address, { v6Prefix })?.network ?? "";
    return bench.ask(address, null, 1, network).block;
  }

  test.each([48, 56, 63])("from /%i: no address is trusted because a neighbour was", async (before) => {
    const bench = new Bench();
    await count(bench, 1, before);
    expect(call(bench, HOME, before)).toBeNull();
    expect(call(bench, "2001:db8:5::1", before)).toBe("ip_unconfirmed");
    const [other] = bench.store.pending();
    expect((await bench.holder.networks.confirm(bench.mail(other?.id ?? "") ?? "", null)).state).toBe(
      "confirmed_now",
    );
    await count(bench, 2, 64);
    for (const address of [HOME, NEIGHBOUR, "2001:db8:5::1"]) {
      expect(call(bench, address, 64)).toBe("ip_unconfirmed");
    }
    expect(bench.holder.networks.list().trusted).toEqual([]);
  });

  test("leaves what was trusted as narrowly, what an admin approved as a block, and IPv4", async () => {
    const bench = new Bench();
    await count(bench, 1, 64);
    expect(call(bench, HOME, 64)).toBeNull();
    await bench.holder.networks.approve("2001:db8:7::/48");
    await bench.holder.networks.approve("203.0.113.1");
    await count(bench, 2, 56);
    await count(bench, 3, 64);
    for (const address of [HOME, "2001:db8:7:1::1", "203.0.113.1"]) {
      expect(call(bench, address, 64)).toBeNull();
    }
    expect(call(bench, NEIGHBOUR, 64)).toBe("ip_unconfirmed");
  });

  test("kills the links of networks that are no one client any more", async () => {
    const bench = new Bench();
    await count(bench, 1, 56);
    call(bench, HOME, 56);
    expect(call(bench, "2001:db8:5::1", 56)).toBe("ip_unconfirmed");
    const link = bench.mail(bench.store.pending()[0]?.id ?? "") ?? "";
    await count(bench, 2, 64);
    expect((await bench.holder.networks.confirm(link, null)).state).toBe("unknown");
    expect(call(bench, "2001:db8:5::1", 64)).toBe("ip_unconfirmed");
  });
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
  "a link to the own networks works for ever": (store) =>
    withMethods(store, { reviewLink: (hash) => (store.reviewLink(hash) === null ? null : Infinity) }),
  "the holder takes back what an admin approved": (store) =>
    withMethods(store, {
      putTrusted: (network) => {
        store.putTrusted(network.source === "approved" ? { ...network, source: "confirmed" } : network);
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

/** Rounds of histories: a mistake that takes many steps to show is not in every one. */
const ROUNDS = 8;

async function isFound(disturb: Disturb): Promise<boolean> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = await Promise.allSettled([compare(null, RUNS, disturb), compare(2, RUNS, disturb)]);
    if (found.some(({ status }) => status === "rejected")) return true;
  }
  return false;
}

describe("mistakes are found", () => {
  test.each(Object.entries(MISTAKES))(
    "%s",
    async (_, disturb) => {
      expect(await isFound(disturb)).toBe(true);
    },
    TIMEOUT_MS,
  );
});
