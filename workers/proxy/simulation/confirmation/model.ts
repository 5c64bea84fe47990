import type { ConfirmationEnd } from "@relaykey/core/rpc";

type Source = "first_use" | "confirmed" | "approved";

const MINUTES = 60_000;
const DAYS = 86_400_000;

export interface ModelEntry {
  readonly id: string;
  readonly network: string;
  readonly number: string;
  state: "waiting" | "confirmed" | "rejected" | "locked" | "gone";
  until: number;
  seen: number;
  mails: number;
  wrong: number;
  matching: boolean;
}

interface ModelLink {
  readonly entry: ModelEntry;
  readonly until: number;
}

/** What a holder's networks are supposed to do, said as plainly as possible: the specification that histories are judged by. */
export class Model {
  now: number;
  readonly trusted = new Map<string, number>();
  readonly entries: ModelEntry[] = [];
  readonly links = new Map<string, ModelLink>();
  readonly sources = new Map<string, Source>();
  /** Links to the page about the holder's own networks, and until when they work. */
  readonly reviews = new Map<string, number>();
  firstUseGone = false;
  suspectedAt = -Infinity;
  version = 1;
  freezes = 0;
  lifted = 0;
  revoked = false;
  readonly trustDays: number | null;

  constructor(now: number, trustDays: number | null) {
    this.now = now;
    this.trustDays = trustDays;
  }

  get state(): "active" | "frozen" | "revoked" {
    if (this.revoked) return "revoked";
    return this.freezes > this.lifted ? "frozen" : "active";
  }

  isTrusted(network: string): boolean {
    const seen = this.trusted.get(network);
    if (seen === undefined) return false;
    return this.trustDays === null || this.now < seen + this.trustDays * DAYS;
  }

  trust(network: string, source: Source): void {
    this.trusted.set(network, this.now);
    this.sources.set(network, source);
    this.firstUseGone = true;
    for (const entry of this.entries) {
      if (entry.network === network && this.isOpen(entry)) entry.state = "confirmed";
    }
  }

  isOpen(entry: ModelEntry): boolean {
    return entry.state === "waiting" && this.now < entry.until;
  }

  open(network: string): ModelEntry | null {
    return this.entries.find((entry) => entry.network === network && this.isOpen(entry)) ?? null;
  }

  isLocked(network: string): boolean {
    return this.entries.some(
      (entry) => entry.network === network && entry.state === "locked" && this.now < entry.until,
    );
  }

  /** An entry for a network that asks for the first time; those that wait already become harder to confirm by it. */
  enter(id: string, network: string, number: string): ModelEntry {
    for (const ended of this.entries) {
      const lives = this.isOpen(ended) || (ended.state === "locked" && this.now < ended.until);
      if (!lives && this.now - ended.seen >= DAYS) ended.state = "gone";
    }
    const entry: ModelEntry = {
      id,
      network,
      number,
      state: "waiting",
      until: this.now + 15 * MINUTES,
      seen: this.now,
      mails: 0,
      wrong: 0,
      matching: this.#isSuspicious(),
    };
    this.entries.push(entry);
    return entry;
  }

  mailed(entry: ModelEntry): void {
    entry.mails += 1;
    entry.until = this.now + 15 * MINUTES;
  }

  /** Where a link leads. */
  end(hash: string): ConfirmationEnd | null {
    const link = this.links.get(hash);
    if (link === undefined) return "unknown";
    const { entry } = link;
    if (entry.state !== "waiting") return entry.state === "gone" ? "unknown" : entry.state;
    if (this.state === "revoked") return "key_ended";
    if (this.state === "frozen") return "frozen";
    if (this.now < entry.until && this.now < link.until) return null;
    return this.isTrusted(entry.network) ? "confirmed" : "expired";
  }

  confirm(hash: string, number: string | null): string {
    const end = this.end(hash);
    const entry = this.links.get(hash)?.entry;
    if (end !== null || entry === undefined) return end ?? "unknown";
    if (number === null && entry.matching) return "mismatch";
    if (number !== null && number !== entry.number) {
      entry.wrong += 1;
      entry.matching = true;
      this.suspectedAt = this.now;
      if (entry.wrong < 3) return "mismatch";
      entry.state = "locked";
      return "locked";
    }
    this.trust(entry.network, "confirmed");
    return "confirmed_now";
  }

  /** Also too late to confirm, and after too many wrong numbers: while the key lives. */
  canReject(hash: string): boolean {
    const end = this.end(hash);
    return end === null || (["expired", "locked"].includes(end) && this.state === "active");
  }

  reject(hash: string): string {
    const end = this.end(hash);
    const entry = this.links.get(hash)?.entry;
    if (entry === undefined || !this.canReject(hash)) return end ?? "unknown";
    entry.state = "rejected";
    this.suspectedAt = this.now;
    this.freezes += 1;
    return "frozen_now";
  }

  isReviewing(hash: string): boolean {
    return this.now < (this.reviews.get(hash) ?? -Infinity);
  }

  /** Whether a link that was answered with opens the list of networks as well. */
  opensReview(hash: string): boolean {
    const link = this.links.get(hash);
    const state = link?.entry.state;
    return link !== undefined && this.now < link.until && (state === "confirmed" || state === "rejected");
  }

  /** The holder takes back a network, but not an admin's. */
  stopTrusting(review: string, network: string): string {
    if (!this.isReviewing(review)) return "ended";
    if (!this.trusted.has(network)) return "not_trusted";
    if (this.sources.get(network) === "approved") return "approved";
    this.trusted.delete(network);
    return "removed_now";
  }

  freezeKey(review: string): string {
    if (!this.isReviewing(review)) return "ended";
    if (this.state === "revoked") return "key_ended";
    if (this.state === "frozen") return "frozen";
    this.freezes += 1;
    return "frozen_now";
  }

  /** What is mailed about when a new mail is asked for, or why none is. */
  resend(hash: string): ModelEntry | ConfirmationEnd {
    const end = this.end(hash);
    const entry = this.links.get(hash)?.entry;
    if ((end !== null && end !== "expired") || entry === undefined) return end ?? "unknown";
    if (this.isLocked(entry.network)) return "locked";
    return this.open(entry.network) ?? entry;
  }

  resent(entry: ModelEntry): void {
    if (!this.isOpen(entry)) {
      const isSuspicious = this.#isSuspicious();
      entry.matching ||= isSuspicious;
      entry.seen = this.now;
    }
    this.mailed(entry);
  }

  #isSuspicious(): boolean {
    const open = this.entries.filter((entry) => this.isOpen(entry));
    for (const entry of open) entry.matching = true;
    return open.length > 0 || this.now - this.suspectedAt < DAYS;
  }
}
