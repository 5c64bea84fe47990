import type { EnforcementReceipt } from "@relaykey/core/rpc";
import type { LeaseAnswer, LeaseRequest } from "../../objects/lease.ts";
import { LEASE_MS } from "../../objects/lease.ts";
import type { Holder } from "../../objects/holder.ts";
import { PolicyCache } from "../cache.ts";
import { History } from "../history.ts";
import { Isolate } from "../isolate.ts";
import type { Observed } from "../linearizability.ts";
import { ObjectHome } from "../platform.ts";
import type { Weather } from "../plan.ts";
import { Random } from "../random.ts";
import type { System } from "../system.ts";
import { VirtualTime } from "../virtual-time.ts";
import { PERSONS_KEY, personsKey } from "./keys.ts";
import type { Seen } from "./flaw.ts";
import type { NetworkOperation, NetworkRead } from "./register.ts";

const NETWORKS = ["203.0.113.1", "203.0.113.2", "203.0.113.3"] as const;
const WEATHERS: readonly Weather[] = [
  { name: "calm", usualMs: 4, worstMs: 20, lost: 0, writeMs: 4 },
  { name: "normal", usualMs: 40, worstMs: 400, lost: 0.02, writeMs: 20 },
  { name: "slow", usualMs: 300, worstMs: 2_500, lost: 0.05, writeMs: 300 },
];
/** Mails about the own networks that a holder may have asked for. */
const MAIL_GENERATIONS = [1, 2, 3, 4] as const;
const HORIZON_MS = 16_000;
const END_MS = 120_000;

/** An operation on its way; `operation` is null until it is known what it was. */
interface Call {
  readonly invoked: number;
  returned: number;
  returnedMs: number;
  operation: NetworkOperation | null;
}

export interface NetworkHistory extends Seen {
  /** Open answers that were cut too late, told. */
  readonly lateCuts: string[];
  readonly counts: {
    readonly starts: number;
    readonly confirmed: number;
    readonly frozen: number;
    readonly cuts: number;
  };
}

/** Runs one seed: isolates that call from three networks, a person with links, an admin, an object that moves. */
export async function simulateNetworks(seed: number, system: System): Promise<NetworkHistory> {
  const random = new Random(seed);
  const time = new VirtualTime(random);
  const uninstall = time.install();
  try {
    const world = new World(random, time, system);
    await time.run(END_MS);
    return world.history();
  } finally {
    uninstall();
  }
}

class World {
  readonly #random: Random;
  readonly #time: VirtualTime;
  readonly #home: ObjectHome;
  readonly #requests = new History();
  readonly #calls: Call[] = [];
  /** Entries that the person may have been mailed about. */
  readonly #entries: { readonly id: string; readonly network: string; readonly number: string }[] = [];
  #version = 0;
  #freezesKnown = 0;

  constructor(random: Random, time: VirtualTime, system: System) {
    this.#random = random;
    this.#time = time;
    const weather = random.pick(WEATHERS);
    this.#home = new ObjectHome(
      time,
      random,
      { weather, objectClockMs: 0 },
      system.platform,
      system.makeHolder,
    );
    const cache = new PolicyCache(time, random, { staleMs: 0, empty: 1, fails: 0, worstMs: 1 });
    const home = { call: this.#watched.bind(this) };
    const isolates = Array.from(
      { length: random.int(2, 3) },
      (_, index) =>
        new Isolate(
          index,
          random.ms(-60_000, 60_000),
          { time, history: this.#requests, home, cache, onLeased: () => undefined },
          system,
        ),
    );
    this.#at(0, () => this.#apply());
    for (let count = random.int(10, 30); count > 0; count -= 1) {
      this.#at(random.ms(200, HORIZON_MS), () =>
        random.pick(isolates).serve({
          isolate: 0,
          aim: "common",
          network: random.pick(NETWORKS),
          workMs: random.ms(0, 15),
          openMs: random.chance(0.25) ? random.ms(1, 12_000) : 0,
        }),
      );
    }
    for (let count = random.int(3, 9); count > 0; count -= 1) {
      this.#at(random.ms(1_000, HORIZON_MS), () => this.#personActs());
    }
    for (let count = random.int(1, 4); count > 0; count -= 1) {
      const change = random.pick(["remove", "remove", "approve", "apply"] as const);
      this.#at(random.ms(1_000, HORIZON_MS), () => this.#adminActs(change));
    }
    for (let count = random.int(0, 2); count > 0; count -= 1) {
      this.#at(random.ms(1_000, HORIZON_MS), () => this.#holderRemoves());
    }
    if (random.chance(0.2)) this.#at(random.ms(HORIZON_MS / 2, HORIZON_MS), () => this.#revoke());
    for (let count = weather.name === "calm" ? 0 : random.pick([0, 1, 2]); count > 0; count -= 1) {
      time.after(random.ms(500, HORIZON_MS), () => {
        this.#home.restart({
          at: time.now(),
          lingersMs: random.chance(0.5) ? random.ms(0, 4_000) : null,
          clockMs: random.ms(-5_000, 5_000),
        });
      });
    }
  }

  history(): NetworkHistory {
    const { starts, refusals, streams } = this.#requests;
    const operations = this.#calls.flatMap(({ operation, invoked, returned }) =>
      operation === null ? [] : [{ operation, invoked, returned }],
    );
    const reads: Observed<NetworkRead>[] = starts.map(({ network, at }) => ({
      operation: { kind: "start", network },
      // The last check and the start are one turn.
      invoked: at,
      returned: at,
    }));
    const kinds = {
      ip_unconfirmed: "unconfirmed",
      key_frozen: "frozen",
      token_revoked: "revoked",
      token_unknown: "unknown",
    } as const;
    for (const { network, began, at, reason } of refusals) {
      if (!(reason in kinds)) continue;
      const kind = kinds[reason as keyof typeof kinds];
      reads.push({ operation: { kind, network }, invoked: began, returned: at });
    }
    const count = (state: string): number =>
      this.#calls.filter(
        ({ operation }) => operation !== null && "state" in operation && operation.state === state,
      ).length;
    return {
      operations,
      reads,
      lateCuts: this.#lateCuts(),
      counts: {
        starts: starts.length,
        confirmed: count("confirmed_now"),
        frozen: count("frozen_now"),
        cuts: streams.filter(({ cut }) => cut !== null).length,
      },
    };
  }

  /** One lease after an end returned, nothing that it ended may be open, unless something began that may have undone it. */
  #lateCuts(): string[] {
    return this.#requests.streams.flatMap(({ network, openedMs, closedMs, closed }) => {
      const ending = this.#calls.find(
        ({ operation, returned, returnedMs, invoked }) =>
          operation !== null &&
          returned !== Infinity &&
          ends(operation, network) &&
          closedMs > returnedMs + LEASE_MS &&
          !this.#calls.some(
            (other) =>
              other.operation !== null &&
              other.invoked < closed &&
              other.returned > invoked &&
              mayUndo(other.operation, operation),
          ),
      );
      if (ending === undefined) return [];
      const told = JSON.stringify(ending.operation);
      return [
        `open from ${network} at ${String(openedMs)}–${String(closedMs)} ms, ${told} returned at ${String(ending.returnedMs)} ms`,
      ];
    });
  }

  /** A call of an isolate. What the object decides is noted inside: it holds whether or not the answer arrives. */
  async #watched<T>(work: (holder: Holder) => T | Promise<T>): Promise<T> {
    const call = this.#begin(null);
    const answer = await this.#home.call((holder) =>
      work(
        new Proxy(holder, {
          get: (whole, name) =>
            name === "lease"
              ? (request: LeaseRequest) => {
                  const given = whole.lease(request);
                  call.operation = this.#asked(whole, request, given);
                  return given;
                }
              : (Reflect.get(whole, name) as unknown),
        }),
      ),
    );
    this.#end(call);
    return answer;
  }

  #asked(
    holder: Holder,
    { network, want, caller }: LeaseRequest,
    answer: LeaseAnswer,
  ): NetworkOperation | null {
    if (answer.kind === "unknown" || want === 0 || network === "") return null;
    if (holder.inspect(PERSONS_KEY)?.state !== "active") return { kind: "ask", network, outcome: "closed" };
    if (answer.block === null) return { kind: "ask", network, outcome: "admitted" };
    const entry = holder.networks.list().pending.find((pending) => pending.network === network);
    const number = answer.confirmation?.number ?? null;
    if (caller === null || entry === undefined || number === null) return null;
    if (!this.#entries.some(({ id }) => id === entry.id))
      this.#entries.push({ id: entry.id, network, number });
    return { kind: "ask", network, outcome: { entry: entry.id } };
  }

  /** Opens a mail, and uses its link: once, or twice at the same time, or while a new one is asked for. */
  async #personActs(): Promise<void> {
    if (this.#entries.length === 0) return;
    const entry = this.#random.pick(this.#entries);
    const { id } = entry;
    const link = await this.#home.call(({ networks }) => {
      const seed = networks.seed(id);
      const hash = `${id}.${String(seed?.generation)}`;
      return seed === null || networks.admitLink(seed, hash) === null ? null : hash;
    });
    if (link === null) return;
    const act = this.#random.pick(["confirm", "confirm", "confirm", "reject"] as const);
    const other = this.#random.pick(["none", "same", "reject", "resend"] as const);
    const acts: Promise<unknown>[] = [this.#use(act, entry, link)];
    if (other === "same") acts.push(this.#use(act, entry, link));
    if (other === "reject") acts.push(this.#use("reject", entry, link));
    if (other === "resend") acts.push(this.#home.call(({ networks }) => networks.resend(link).state));
    await Promise.allSettled(acts);
  }

  async #use(
    kind: "confirm" | "reject",
    { id, network, number }: { readonly id: string; readonly network: string; readonly number: string },
    link: string,
  ): Promise<void> {
    const call = this.#begin(null);
    const state = await this.#home.call(async ({ networks }) => {
      call.operation = { kind, entry: id, network, state: null };
      return (await (kind === "confirm" ? networks.confirm(link, number) : networks.reject(link))).state;
    });
    call.operation = { kind, entry: id, network, state };
    this.#end(call);
    if (state === "frozen_now") this.#freezesKnown += 1;
  }

  async #adminActs(change: "remove" | "approve" | "apply"): Promise<void> {
    if (change === "apply") {
      await this.#apply();
      return;
    }
    const network = this.#random.pick(NETWORKS);
    const call = this.#begin(null);
    if (change === "approve") {
      await this.#home.call(({ networks }) => {
        call.operation = { kind: "approve", network };
        return networks.approve(network);
      });
    } else {
      const was = await this.#home.call(({ networks }) => {
        call.operation = { kind: "remove", network, was: null };
        return networks.remove(network);
      });
      call.operation = { kind: "remove", network, was };
    }
    this.#end(call);
  }

  /** The holder asks for the list of networks, and takes one back. */
  async #holderRemoves(): Promise<void> {
    const network = this.#random.pick(NETWORKS);
    const review = await this.#home.call(({ networks: { review: reviews } }) => {
      if (!reviews.ask(PERSONS_KEY.holderLocator)) return null;
      // Each ask is the only one of its moment, and its mail is made at once.
      const seed = MAIL_GENERATIONS.map((generation) => reviews.seed(generation)).find(
        (found) => found !== null,
      );
      const hash = `review ${seed?.nonce ?? ""}`;
      return seed == null || reviews.admit(seed, hash) === null ? null : hash;
    });
    if (review === null) return;
    const call = this.#begin(null);
    const state = await this.#home.call(({ networks }) => {
      call.operation = { kind: "remove", network, was: null };
      return networks.review.remove(review, network).then((removed) => removed.state);
    });
    // An admin's network is left as it is.
    const isAsked = state === "removed_now" || state === "not_trusted";
    call.operation = isAsked ? { kind: "remove", network, was: state === "removed_now" } : null;
    this.#end(call);
  }

  /** The next version of the policy, which lifts the freezes that were heard of, sometimes. */
  async #apply(): Promise<void> {
    this.#version += 1;
    const version = this.#version;
    const lifted = this.#random.chance(0.7) ? this.#freezesKnown : 0;
    await this.#enforce({ kind: "apply", version, lifted, holds: null }, (holder) =>
      holder.apply(personsKey(version, { freezesLifted: lifted })),
    );
  }

  async #revoke(): Promise<void> {
    // Final: whatever else is on its way is older.
    const version = 1_000;
    await this.#enforce({ kind: "revoke", version, holds: null }, (holder) =>
      holder.revoke(PERSONS_KEY, version),
    );
  }

  async #enforce(
    operation: Extract<NetworkOperation, { kind: "apply" | "revoke" }>,
    work: (holder: Holder) => Promise<EnforcementReceipt>,
  ): Promise<void> {
    const call = this.#begin(null);
    const { version } = await this.#home.call((holder) => {
      call.operation = operation;
      return work(holder);
    });
    call.operation = { ...operation, holds: version };
    this.#end(call);
  }

  #begin(operation: NetworkOperation | null): Call {
    const call: Call = { invoked: this.#time.instant(), returned: Infinity, returnedMs: Infinity, operation };
    this.#calls.push(call);
    return call;
  }

  #end(call: Call): void {
    call.returned = this.#time.instant();
    call.returnedMs = this.#time.now();
  }

  #at(ms: number, act: () => Promise<unknown>): void {
    this.#time.after(ms, () => void act().catch(() => undefined));
  }
}

function ends(operation: NetworkOperation, network: string): boolean {
  switch (operation.kind) {
    case "remove":
      return operation.network === network;
    case "reject":
      return operation.state === "frozen_now";
    case "revoke":
      return true;
    case "ask":
    case "confirm":
    case "approve":
    case "apply":
      return false;
  }
}

function mayUndo(operation: NetworkOperation, ending: NetworkOperation): boolean {
  if (ending.kind === "revoke") return false;
  return ending.kind === "remove"
    ? operation.kind === "approve" || operation.kind === "confirm" || operation.kind === "ask"
    : operation.kind === "apply";
}
