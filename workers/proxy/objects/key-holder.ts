import { DurableObject } from "cloudflare:workers";
import type {
  ConfirmationEnd,
  ConfirmationMail,
  ConfirmationView,
  EndedLink,
  EnforcementReceipt,
  HolderNetworks,
  KeyInspection,
  KeyRef,
  RemovalState,
  ReviewMail,
  ReviewView,
} from "@relaykey/core/rpc";
import { hashLinkToken, importLinkKey, linkToken } from "../confirmation-token.ts";
import { describeError, log } from "@relaykey/core/log";
import { Holder } from "./holder.ts";
import type { LeaseAnswer, LeaseRequest } from "./lease.ts";
import { deliver, pauseBefore } from "./outbox.ts";
import type { Review } from "./review.ts";
import { SqliteHolderStore } from "./sqlite-store.ts";

/** New mails that may be asked for while one is being made. */
const MAX_SEEDS = 3;

/**
 * The Durable Object of one key holder, named by the holder's locator: `Holder` over SQLite and the real clock. Its alarm
 * brings messages to the queues, so that no request waits for them and no crash loses one.
 */
export class KeyHolder extends DurableObject<Env> {
  readonly #store: SqliteHolderStore;
  readonly #holder: Holder;
  #linkKey: Promise<CryptoKey> | null = null;
  /** Alarms in a row that could not do all of their work. */
  #alarmsFailed = 0;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#store = new SqliteHolderStore(state.storage.sql);
    this.#holder = new Holder(this.#store, {
      now: () => Date.now(),
      wait: (ms) => scheduler.wait(ms),
      incarnation: crypto.randomUUID(),
      random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    });
  }

  lease(request: LeaseRequest): LeaseAnswer {
    const answer = this.#holder.lease(request);
    this.#setAlarm();
    return answer;
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

  networks(): HolderNetworks {
    return this.#holder.networks.list();
  }

  approveNetwork(network: string): Promise<string> {
    return this.#stirring(this.#holder.networks.approve(network));
  }

  removeNetwork(network: string): Promise<boolean> {
    return this.#holder.networks.remove(network);
  }

  dismissPending(pendingId: string): boolean {
    return this.#holder.networks.dismiss(pendingId);
  }

  async mail(holderLocator: string, pendingId: string): Promise<ConfirmationMail | null> {
    const key = await (this.#linkKey ??= importLinkKey(this.env.RELAYKEY_TOKEN_KEY));
    for (let attempt = 0; attempt < MAX_SEEDS; attempt += 1) {
      const seed = this.#holder.networks.seed(pendingId);
      if (seed === null) return null;
      const token = await linkToken(key, holderLocator, seed);
      const hash = await hashLinkToken(token);
      // The entry may have changed while the token was derived.
      const mail = hash === null ? null : this.#holder.networks.admitLink(seed, hash);
      if (mail !== null) return { ...mail, token };
    }
    return null;
  }

  viewLink(tokenHash: string): ConfirmationView | EndedLink {
    return this.#holder.networks.view(tokenHash);
  }

  confirmLink(
    tokenHash: string,
    number: string | null,
  ): Promise<{ readonly state: "confirmed_now" | "mismatch" | ConfirmationEnd }> {
    return this.#stirring(this.#holder.networks.confirm(tokenHash, number));
  }

  rejectLink(tokenHash: string): Promise<{
    readonly state: "frozen_now" | ConfirmationEnd;
    readonly keys: readonly KeyRef[];
  }> {
    return this.#stirring(this.#holder.networks.reject(tokenHash));
  }

  resendLink(tokenHash: string): { readonly state: "sent" | "throttled" | ConfirmationEnd } {
    const answer = this.#holder.networks.resend(tokenHash);
    this.#setAlarm();
    return answer;
  }

  askForReview(holderLocator: string): boolean {
    const isAsked = this.#holder.networks.review.ask(holderLocator);
    this.#setAlarm();
    return isAsked;
  }

  async reviewMail(holderLocator: string, generation: number): Promise<ReviewMail | null> {
    const seed = this.#holder.networks.review.seed(generation);
    if (seed === null) return null;
    const key = await (this.#linkKey ??= importLinkKey(this.env.RELAYKEY_TOKEN_KEY));
    const token = await linkToken(key, holderLocator, seed);
    const hash = await hashLinkToken(token);
    const mail = hash === null ? null : this.#holder.networks.review.admit(seed, hash);
    return mail === null ? null : { ...mail, token };
  }

  openReview(confirmationHash: string, tokenHash: string): boolean {
    return this.#holder.networks.review.open(confirmationHash, tokenHash);
  }

  viewReview(tokenHash: string): ReviewView | { readonly state: "ended" } {
    return this.#holder.networks.review.view(tokenHash);
  }

  stopTrusting(tokenHash: string, network: string): Promise<{ readonly state: RemovalState }> {
    return this.#stirring(this.#holder.networks.review.remove(tokenHash, network));
  }

  freezeReviewed(tokenHash: string, keyId: string): ReturnType<Review["freeze"]> {
    return this.#stirring(this.#holder.networks.review.freeze(tokenHash, keyId));
  }

  /**
   * Never throws: the platform drops an alarm that has thrown some times, and with it every mail and notice that waits. What
   * fails is tried again, later and later, and holds back nothing else.
   */
  override async alarm(): Promise<void> {
    const queues = { mail: this.env.MAIL_QUEUE, notice: this.env.NOTICE_QUEUE };
    let next: number | null = null;
    const works: readonly (() => Promise<unknown> | null)[] = [
      () => {
        this.#holder.networks.tick();
        return null;
      },
      () =>
        deliver(
          this.#store,
          (queue, body) => queues[queue].send(body, { contentType: "text" }),
          () => Date.now(),
        ),
      () => {
        next = this.#holder.networks.nextWake();
        return null;
      },
    ];
    let isWhole = true;
    for (const work of works) {
      try {
        await work();
      } catch (error) {
        isWhole = false;
        log("error", "holder_alarm_failed", { error: describeError(error) });
      }
    }
    this.#alarmsFailed = isWhole ? 0 : this.#alarmsFailed + 1;
    if (!isWhole) next = Date.now() + pauseBefore(this.#alarmsFailed);
    if (next !== null) await this.ctx.storage.setAlarm(next);
  }

  /** What a call changed in its first turn is on its way before the call has waited out any lease. */
  #stirring<T>(work: Promise<T>): Promise<T> {
    this.#setAlarm();
    return work;
  }

  #setAlarm(): void {
    if (!this.#holder.networks.takeStirred()) return;
    const next = this.#holder.networks.nextWake();
    // The write goes out with the state it belongs to; its failure breaks the object, and the answer with it.
    if (next !== null) void this.ctx.storage.setAlarm(next);
  }
}
