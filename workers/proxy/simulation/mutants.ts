import { judge } from "@relaykey/core/judge";
import type { KnownKey } from "../directory.ts";
import { LeaseBook } from "../lease-book.ts";
import type { Keep } from "../lease-book.ts";
import type { LeaseSubject, StartLease } from "../start-lease.ts";
import { Holder } from "../objects/holder.ts";
import type { HolderStore } from "../objects/holder-store.ts";
import { FLIGHT_GRACE_MS } from "../objects/lease.ts";
import type { LeaseAnswer, LeaseRequest } from "../objects/lease.ts";
import { passed, refused } from "../outcome.ts";
import type { Property } from "./check.ts";
import { ForgetfulDirectory } from "./isolate.ts";
import { REAL_PLATFORM } from "./platform.ts";
import { REAL } from "./system.ts";
import type { System } from "./system.ts";

/** A system with one mistake in it, and what the mistake must be caught by. */
export interface Mutant {
  readonly mistake: string;
  readonly system: System;
  readonly breaks: Property;
}

const START = "G1: no start under an older version than one that returned";
const REFUSAL = "G1: no refusal by an older version than one that returned";

/** Its leases seem to be on no version at all. */
class VersionlessBook extends LeaseBook {
  override live(hash: string, network: string): StartLease | null {
    const lease = super.live(hash, network);
    if (lease === null) return null;
    return new Proxy(lease, {
      get: (target, name) => (name === "version" ? 0 : (Reflect.get(target, name) as unknown)),
    });
  }
}

/** Its memory is never full. */
class RememberingDirectory extends ForgetfulDirectory {
  override forget(): void {
    // There is room.
  }
}

/** Whatever arrived last is what it knows; its memory is never full. */
class OverwritingDirectory extends RememberingDirectory {
  #newest: ForgetfulDirectory | null = null;
  readonly #kv: KVNamespace;
  readonly #now: () => number;

  constructor(kv: KVNamespace, now: () => number) {
    super(kv, now);
    this.#kv = kv;
    this.#now = now;
  }

  override known(tokenHash: string): KnownKey | null {
    return this.#newest?.known(tokenHash) ?? null;
  }

  override remember(tokenHash: string, text: string): KnownKey {
    // An empty directory has nothing newer.
    this.#newest = new ForgetfulDirectory(this.#kv, this.#now);
    return this.#newest.remember(tokenHash, text);
  }
}

/** Mistakes that the protocol was designed not to make, one at a time, built around the real parts. */
export const MUTANTS: readonly Mutant[] = [
  {
    mistake: "the KV cache decides, without a lease",
    breaks: START,
    system: {
      ...REAL,
      decide: async (subject, intake, { directory, now }) => {
        const known = await directory.find(subject.hash);
        if (known === null) return refused("no_decision");
        const verdict = judge(known, intake, now());
        return verdict.ok ? passed({ known, lease: null }) : verdict;
      },
    },
  },
  {
    mistake: "the object keeps its leases in memory only",
    breaks: START,
    system: withStore((store) => {
      const leases = new Map<string, ReturnType<HolderStore["lease"]>>();
      return {
        lease: (hash) => leases.get(hash) ?? null,
        putLease: (hash, lease) => {
          leases.set(hash, lease);
          // Its answers still wait for a write, so that nothing but the loss is wrong.
          store.putLease(hash, lease);
        },
      };
    }),
  },
  {
    mistake: "something is awaited between the last check and the start",
    breaks: START,
    system: { ...REAL, afterCheckMs: 10 },
  },
  {
    mistake: "the lease is not checked again in the turn that starts the request",
    breaks: START,
    system: {
      ...REAL,
      admit: (subject, intake, admission, parts) =>
        REAL.admit(subject, intake, { ...admission, lease: null }, parts),
    },
  },
  {
    mistake: "the isolate counts a lease from the arrival of the answer",
    breaks: START,
    system: {
      ...REAL,
      makeBook: (ask, directory, now) =>
        new LeaseBook(
          async (locator, request) => {
            const askedAt = now();
            const answer = await ask(locator, request);
            return { ...answer, leaseMs: answer.leaseMs + now() - askedAt };
          },
          directory,
          now,
        ),
    },
  },
  {
    mistake: "the object does not wait for leases to end",
    breaks: START,
    system: withStore(() => ({ lease: () => null })),
  },
  {
    mistake: "the object does not wait for answers that were refusals",
    breaks: REFUSAL,
    system: withStore((store) => ({
      putLease: (hash, lease) => {
        if (store.keyByHash(hash) !== null) store.putLease(hash, lease);
      },
    })),
  },
  {
    mistake: "a restarted object takes its predecessor's deadlines for its own",
    breaks: START,
    system: withStore((store, { incarnation }) => ({
      lease: (hash) => {
        const lease = store.lease(hash);
        return lease === null ? null : { ...lease, incarnation };
      },
    })),
  },
  {
    mistake: "a restarted object believes that all older leases have ended",
    breaks: START,
    system: {
      ...REAL,
      makeHolder: (store, world) => {
        let started = false;
        const now = (): number => {
          // The first look at the clock is the constructor's.
          const moment = started ? world.now() : 0;
          started = true;
          return moment;
        };
        return new Holder(store, { ...world, wait: (ms) => world.wait(ms), now });
      },
    },
  },
  {
    mistake: "a superseded instance goes on granting",
    breaks: START,
    system: { ...REAL, platform: { ...REAL_PLATFORM, supersededAnswersAreHeld: false } },
  },
  {
    mistake: "receipts and leases leave before they are on disk",
    breaks: START,
    system: { ...REAL, platform: { ...REAL_PLATFORM, answersWaitForWrites: false } },
  },
  {
    mistake: "a cached copy refuses without being asked for its age",
    breaks: REFUSAL,
    system: withBook(
      class extends LeaseBook {
        override isCurrent(hash: string, version: number | null): boolean {
          return version === null ? super.isCurrent(hash, version) : true;
        }
      },
    ),
  },
  {
    mistake: "a renewal extends the version the isolate has, whatever the object holds",
    breaks: START,
    system: {
      ...REAL,
      makeBook: (ask, directory, now) =>
        new LeaseBook(
          async (locator, request) => ofOwnVersion(request, await ask(locator, request)),
          directory,
          now,
        ),
    },
  },
  {
    mistake: "a lease on a newer version admits what was judged on an older copy",
    breaks: START,
    system: withBook(VersionlessBook),
  },
  {
    mistake: "leases do not name their version, and the directory lets an older version replace a newer one",
    breaks: START,
    system: { ...withBook(VersionlessBook), makeDirectory: (kv, now) => new OverwritingDirectory(kv, now) },
  },
  {
    mistake: "allowance that was handed back is used all the same",
    breaks: "G7: uses",
    system: withBook(
      class extends LeaseBook {
        override async renew(subject: LeaseSubject, network: string, keep: Keep): Promise<void> {
          const lease = super.live(subject.hash, network);
          const had = lease?.remaining ?? null;
          const renewal = super.renew(subject, network, keep);
          if (lease !== null) lease.remaining = had;
          await renewal;
        }
      },
    ),
  },
  {
    mistake: "counters live in the object's memory",
    breaks: "G7: uses",
    system: withStore(() => {
      const uses = new Map<string, ReturnType<HolderStore["use"]>>();
      return { use: (id) => uses.get(id) ?? null, putUse: (id, use) => void uses.set(id, use) };
    }),
  },
  {
    mistake: "an isolate starts what it wanted, not what it was given",
    breaks: "G7: rate",
    system: {
      ...REAL,
      makeBook: (ask, directory, now) =>
        new LeaseBook(
          async (locator, request) => {
            const answer = await ask(locator, request);
            if (answer.kind === "unknown" || answer.allowance === null || answer.block !== null)
              return answer;
            return { ...answer, allowance: Math.max(answer.allowance, request.want + request.ahead + 1) };
          },
          directory,
          now,
        ),
    },
  },
  {
    mistake: "the object forgets whose slots are taken",
    breaks: "G7: concurrency",
    system: withStore(() => ({ slots: () => [] })),
  },
  {
    mistake: "the object takes slots back with the lease they were granted with, whatever is still under way",
    breaks: "G7: concurrency",
    system: withStore((store) => ({
      slots: () => store.slots().map((slots) => ({ ...slots, until: slots.until - FLIGHT_GRACE_MS })),
      putSlots: (slots) => {
        const isOwn = (other: typeof slots): boolean =>
          other.keyId === slots.keyId && other.lessee === slots.lessee;
        const before = store.slots().find(isOwn);
        const isMore = before === undefined || slots.count > before.count;
        store.putSlots(isMore ? slots : { ...slots, until: before.until });
      },
    })),
  },
  {
    mistake: "a restarted object believes that all older slots are free",
    breaks: "G7: concurrency",
    system: withStore((store, { incarnation }) => ({
      slots: () => store.slots().filter((slots) => slots.incarnation === incarnation),
    })),
  },
  {
    mistake: "nobody speaks for the slots of open answers",
    breaks: "G7: concurrency",
    system: withBook(
      class extends LeaseBook {
        override hold(): Promise<void> {
          return Promise.resolve();
        }
      },
    ),
  },
  {
    mistake: "open responses are not watched",
    breaks: "G1: open responses are cut within one lease",
    system: { ...REAL, watch: () => ({ refusal: new Promise(() => undefined), end: () => undefined }) },
  },
];

/**
 * Safeguards that turn out not to carry G1 alone: without one of them nothing breaks, because another one is there. They
 * are kept, and this is how it is known what they are for.
 */
export const REDUNDANT: readonly Omit<Mutant, "breaks">[] = [
  {
    mistake: "the directory lets an older version replace a newer one (leases name the version they are on)",
    system: { ...REAL, makeDirectory: (kv, now) => new OverwritingDirectory(kv, now) },
  },
  {
    mistake:
      "the last check does not see that a newer version is known (the lease on the older one still holds)",
    system: {
      ...REAL,
      admit: (subject, intake, admission, parts) =>
        REAL.admit(subject, intake, admission, {
          ...parts,
          directory: Object.assign(Object.create(parts.directory) as typeof parts.directory, {
            known: () => admission.known,
          }),
        }),
    },
  },
  {
    mistake: "leases do not name their version (the directory forgets nothing, and never goes back)",
    system: { ...withBook(VersionlessBook), makeDirectory: (kv, now) => new RememberingDirectory(kv, now) },
  },
];

/** The real holder over a store some of whose methods are replaced. */
export function withStore(
  replace: (store: HolderStore, world: { readonly incarnation: string }) => Partial<HolderStore>,
): System {
  return {
    ...REAL,
    makeHolder: (store, world) => new Holder(withMethods(store, replace(store, world)), world),
  };
}

/** A store some of whose methods are replaced. */
export function withMethods(store: HolderStore, replaced: Partial<HolderStore>): HolderStore {
  return new Proxy(store, {
    get: (whole, name) => {
      const method: unknown = Reflect.get(replaced, name) ?? Reflect.get(whole, name);
      return typeof method === "function" ? (method.bind(whole) as unknown) : method;
    },
  });
}

function withBook(Book: typeof LeaseBook): System {
  return { ...REAL, makeBook: (ask, directory, now) => new Book(ask, directory, now) };
}

function ofOwnVersion({ haveVersion }: LeaseRequest, answer: LeaseAnswer): LeaseAnswer {
  if (answer.kind === "unknown" || haveVersion === null) return answer;
  return { ...answer, version: haveVersion, snapshot: null };
}
