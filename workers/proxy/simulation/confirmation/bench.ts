import { Holder } from "../../objects/holder.ts";
import type { HolderStore } from "../../objects/holder-store.ts";
import type { ConfirmationHint, LeaseAnswer } from "../../objects/lease.ts";
import { EPOCH_MS } from "../plan.ts";
import { SUBJECT } from "../policies.ts";
import { Random } from "../random.ts";
import { MemoryStore, Tables } from "../store.ts";
import { callerAt } from "./keys.ts";

/** A real holder over a store in memory, on a clock that moves by itself when it waits. */
export class Bench {
  readonly holder: Holder;
  readonly store: HolderStore;
  now = EPOCH_MS;
  #questions = 0;

  /** @param disturb puts a mistake around the store. */
  constructor(disturb: (store: HolderStore) => HolderStore = (store) => store) {
    const random = new Random(7);
    this.store = disturb(new MemoryStore(new Tables(), () => undefined));
    this.holder = new Holder(this.store, {
      now: () => this.now,
      wait: (ms) => {
        this.now += ms;
        return Promise.resolve();
      },
      incarnation: "bench",
      random: (count) => Uint8Array.from({ length: count }, () => random.int(0, 255)),
    });
  }

  /** What an isolate asks for one request from an address; with a `want` of 0 it only looks. */
  ask(
    address: string,
    asn: number | null = null,
    want = 1,
    network = address,
  ): Extract<LeaseAnswer, { kind: "known" }> {
    this.#questions += 1;
    const answer = this.holder.lease({
      tokenHash: SUBJECT.hash,
      network,
      caller: callerAt(address, asn),
      haveVersion: null,
      want,
      ahead: 0,
      unused: null,
      lessee: address,
      flying: 0,
      keeps: 0,
      number: this.#questions,
    });
    if (answer.kind !== "known") throw new Error("The key is not there.");
    return answer;
  }

  /** What a refused caller is told. */
  hint(address: string, asn: number | null = null): ConfirmationHint {
    const { confirmation } = this.ask(address, asn);
    if (confirmation === null) throw new Error("The caller was let in.");
    return confirmation;
  }

  /** Makes the mail about an entry; null when there is none to send. @returns the hash of its link. */
  mail(pendingId: string): string | null {
    const seed = this.holder.networks.seed(pendingId);
    if (seed === null) return null;
    const hash = `${seed.pendingId}.${String(seed.generation)}`;
    return this.holder.networks.admitLink(seed, hash) === null ? null : hash;
  }

  /** Asks for the mail with a link to the own networks, and makes it. @returns the hash of its link. */
  reviewMail(): string | null {
    const { review } = this.holder.networks;
    if (!review.ask(SUBJECT.locator)) return null;
    const seed = review.seed(this.store.notes().review?.generation ?? 0);
    const hash = seed === null ? null : `${seed.pendingId}.${String(seed.generation)}`;
    return seed === null || hash === null || review.admit(seed, hash) === null ? null : hash;
  }

  /** Takes what is on its way to the queues. */
  takeMessages(): { readonly queue: "mail" | "notice"; readonly body: Record<string, unknown> }[] {
    return this.store.messages().map(({ id, queue, body }) => {
      this.store.removeMessage(id);
      return { queue, body: JSON.parse(body) as Record<string, unknown> };
    });
  }
}
