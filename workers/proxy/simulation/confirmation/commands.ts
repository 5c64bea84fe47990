import fc from "fast-check";
import { expect } from "vitest";
import { CONFIRMATION_MINUTES } from "@relaykey/core/confirmation";
import { REVIEW_MS } from "../../objects/review.ts";
import type { Bench } from "./bench.ts";
import { PERSONS_KEY, personsKey } from "./keys.ts";
import type { Model, ModelEntry } from "./model.ts";

/** One step of a history: done to the real holder and to the model, which must agree. */
type Step = (model: Model, bench: Bench) => void | Promise<void>;

const NETWORKS = ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"] as const;
const EXPIRY_MS = CONFIRMATION_MINUTES * 60_000;

class Command implements fc.AsyncCommand<Model, Bench> {
  readonly #name: string;
  readonly #step: Step;

  constructor(name: string, step: Step) {
    this.#name = name;
    this.#step = step;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, bench: Bench): Promise<void> {
    model.now = bench.now;
    await this.#step(model, bench);
  }

  toString(): string {
    return this.#name;
  }
}

/** Histories of a holder whose policy ages trust out after `trustDays`. */
export function histories(trustDays: number | null): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, Bench>>> {
  const network = fc.constantFrom(...NETWORKS);
  const which = fc.nat({ max: 30 });
  const always = <T>(arbitrary: fc.Arbitrary<T>, name: string, step: (value: T) => Step) =>
    arbitrary.map((value) => new Command(`${name}(${String(value)})`, step(value)));
  return fc.commands(
    [
      always(network, "call", call),
      always(network, "call", call),
      always(which, "mail", mail),
      always(which, "mail", mail),
      always(which, "view", view),
      always(which, "confirm", (index) => confirm(index, () => null)),
      always(which, "confirmWithNumber", (index) => confirm(index, ({ number }) => number)),
      always(which, "guessNumbers", guess),
      always(which, "reject", reject),
      always(which, "resend", resend),
      always(network, "remove", remove),
      always(which, "openReview", openReview),
      always(fc.constant(null), "askForReview", askForReview),
      always(fc.tuple(which, network), "stopTrusting", ([index, from]) => stopTrusting(index, from)),
      always(which, "freezeKey", freezeKey),
      always(network, "approve", approve),
      always(which, "dismiss", dismiss),
      always(fc.constantFrom(1_000, 60_000, EXPIRY_MS - 1, EXPIRY_MS, 3 * 86_400_000), "wait", wait),
      always(fc.boolean(), "apply", (lifts) => apply(lifts, trustDays)),
      always(fc.integer({ min: 0, max: 9 }), "revoke", revoke),
    ],
    { maxCommands: 60, size: "max" },
  );
}

function call(network: string): Step {
  return (model, bench) => {
    const { block, confirmation, snapshot } = bench.ask(network);
    expect(snapshot).toContain(`"state":"${model.state}"`);
    if (model.state !== "active") return;
    if (!model.firstUseGone) model.trust(network, "first_use");
    if (model.isTrusted(network)) {
      // It is written once a minute only.
      if (model.now - (model.trusted.get(network) ?? 0) >= 60_000) model.trusted.set(network, model.now);
      expect(block).toBeNull();
      return;
    }
    expect(block).toBe("ip_unconfirmed");
    if (model.isLocked(network)) {
      expect(confirmation).toMatchObject({ mail: "locked", number: null });
      const locked = model.entries.find(
        (entry) => entry.network === network && entry.state === "locked" && model.now < entry.until,
      );
      if (locked !== undefined) locked.seen = model.now;
      return;
    }
    const listed = bench.holder.networks.list().pending.find((entry) => entry.network === network);
    if (listed === undefined || confirmation === null) throw new Error("There is no entry.");
    const known = model.open(network);
    if (known !== null) expect([listed.id, confirmation.number]).toEqual([known.id, known.number]);
    const entry = known ?? model.enter(listed.id, network, confirmation.number ?? "");
    // Whether the mailbox is being spared is another test's business; that nothing is mailed twice is this one's.
    if (confirmation.mail === "sent" && entry.mails === 0) model.mailed(entry);
    if (entry.mails === 0) entry.until = model.now + EXPIRY_MS;
    entry.seen = model.now;
    expect(confirmation.mail).toBe(entry.mails > 0 ? "sent" : "spared");
    expect(listed).toMatchObject({ expiresAt: entry.until, mailed: entry.mails > 0 });
  };
}

function mail(index: number): Step {
  return (model, bench) => {
    const entry = pick(model.entries, index);
    if (entry === null) return;
    const hash = bench.mail(entry.id);
    const isDue = model.isOpen(entry) && entry.mails > 0 && model.state === "active";
    expect(hash !== null).toBe(isDue);
    if (hash !== null && !model.links.has(hash)) model.links.set(hash, { entry, until: entry.until });
  };
}

function view(index: number): Step {
  return (model, bench) => {
    const hash = pickLink(model, index);
    const end = model.end(hash);
    const seen = bench.holder.networks.view(hash);
    expect(seen.state).toBe(end ?? "pending");
    if (seen.state === "pending") {
      expect(seen.numberMatching).toBe(model.links.get(hash)?.entry.matching);
    } else {
      expect(seen.freezable !== undefined).toBe(model.canReject(hash));
    }
  };
}

function confirm(index: number, typed: (entry: ModelEntry) => string | null): Step {
  return async (model, bench) => {
    const hash = pickLink(model, index);
    const entry = model.links.get(hash)?.entry;
    const number = entry === undefined ? null : typed(entry);
    const expected = model.confirm(hash, number);
    expect((await bench.holder.networks.confirm(hash, number)).state).toBe(expected);
  };
}

/** Up to three wrong numbers in a row. */
function guess(index: number): Step {
  return async (model, bench) => {
    for (let count = 0; count <= index % 3; count += 1) {
      await confirm(index, () => "wrong")(model, bench);
      model.now = bench.now;
    }
  };
}

function reject(index: number): Step {
  return async (model, bench) => {
    const hash = pickLink(model, index);
    const expected = model.reject(hash);
    expect((await bench.holder.networks.reject(hash)).state).toBe(expected);
    const inspection = bench.holder.inspect(PERSONS_KEY);
    expect([inspection?.state, inspection?.holderFreezes]).toEqual([model.state, model.freezes]);
  };
}

function resend(index: number): Step {
  return (model, bench) => {
    const hash = pickLink(model, index);
    const expected = model.resend(hash);
    const { state } = bench.holder.networks.resend(hash);
    if (typeof expected === "string") {
      expect(state).toBe(expected);
      return;
    }
    expect(["sent", "throttled"]).toContain(state);
    if (state === "sent") model.resent(expected);
  };
}

function remove(network: string): Step {
  return async (model, bench) => {
    const was = model.trusted.delete(network);
    expect(await bench.holder.networks.remove(network)).toBe(was);
  };
}

/** From the page that a confirmation link led to. */
function openReview(index: number): Step {
  return (model, bench) => {
    const hash = pickLink(model, index);
    const review = `review of ${hash}`;
    const opens = model.opensReview(hash);
    expect(bench.holder.networks.review.open(hash, review)).toBe(opens);
    if (opens) model.reviews.set(review, model.now + REVIEW_MS);
  };
}

/** By mail; how many of those are sent is another test's business. */
function askForReview(): Step {
  return (model, bench) => {
    const hash = bench.reviewMail();
    if (hash !== null) model.reviews.set(hash, model.now + REVIEW_MS);
  };
}

function stopTrusting(index: number, network: string): Step {
  return async (model, bench) => {
    const review = pickReview(model, index);
    const { review: holders } = bench.holder.networks;
    const view = holders.view(review);
    expect(view.state).toBe(model.isReviewing(review) ? "open" : "ended");
    if (view.state === "open") {
      const listed = view.trusted.map((known) => [known.network, known.source]).sort();
      const trusted = [...model.trusted.keys()].filter((known) => model.isTrusted(known));
      expect(listed).toEqual(trusted.map((known) => [known, model.sources.get(known)]).sort());
    }
    const expected = model.stopTrusting(review, network);
    expect((await holders.remove(review, network)).state).toBe(expected);
  };
}

function freezeKey(index: number): Step {
  return async (model, bench) => {
    const review = pickReview(model, index);
    const expected = model.freezeKey(review);
    const { state } = await bench.holder.networks.review.freeze(review, PERSONS_KEY.keyId);
    expect(state).toBe(expected);
    const inspection = bench.holder.inspect(PERSONS_KEY);
    expect([inspection?.state, inspection?.holderFreezes]).toEqual([model.state, model.freezes]);
  };
}

function approve(network: string): Step {
  return async (model, bench) => {
    model.trust(network, "approved");
    await bench.holder.networks.approve(network);
  };
}

function dismiss(index: number): Step {
  return (model, bench) => {
    const entry = pick(model.entries, index);
    if (entry === null) return;
    expect(bench.holder.networks.dismiss(entry.id)).toBe(entry.state !== "gone");
    entry.state = "gone";
  };
}

function wait(ms: number): Step {
  return (model, bench) => {
    bench.now += ms;
    model.now = bench.now;
  };
}

/** The control plane sends its next version, having heard of all freezes or of none. */
function apply(lifts: boolean, trustDays: number | null): Step {
  return async (model, bench) => {
    if (model.revoked) return;
    model.version += 1;
    if (lifts) model.lifted = model.freezes;
    const receipt = await bench.holder.apply(
      personsKey(model.version, { confirmation: { trustDays }, freezesLifted: model.lifted }),
    );
    expect(receipt.version).toBe(model.version);
  };
}

/** Seldom, because little happens afterwards. */
function revoke(dice: number): Step {
  return async (model, bench) => {
    if (dice > 0 || model.revoked) return;
    model.version += 1;
    model.revoked = true;
    await bench.holder.revoke(PERSONS_KEY, model.version);
  };
}

function pick<T>(from: readonly T[], index: number): T | null {
  return from[index % Math.max(1, from.length)] ?? null;
}

function pickReview(model: Model, index: number): string {
  return pick(["nobody's", ...model.reviews.keys()], index) ?? "nobody's";
}

/** Also one that was never made. */
function pickLink(model: Model, index: number): string {
  return pick(["nobody's", ...model.links.keys()], index) ?? "nobody's";
}
