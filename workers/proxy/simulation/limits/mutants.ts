import { LeaseBook } from "../../lease-book.ts";
import type { LeaseAnswer, LeaseRequest } from "../../objects/lease.ts";
import type { StartLease } from "../../start-lease.ts";
import { withStore } from "../mutants.ts";
import { REAL } from "../system.ts";
import type { System } from "../system.ts";
import type { LimitsProperty } from "./check.ts";

/** A system with one mistake in it that makes limits tighter, or wider, than they are. */
export interface LimitsMutant {
  readonly mistake: string;
  readonly system: System;
  readonly breaks: LimitsProperty;
}

const MANY = 1_000_000;
const STUBBORN_MS = 100;

/** When its slots are taken it does not ask for others at once. */
class StubbornBook extends LeaseBook {
  readonly #clock: () => number;
  readonly #last = new Map<string, { readonly lease: StartLease; readonly at: number }>();

  constructor(...[ask, directory, now]: Parameters<System["makeBook"]>) {
    super(ask, directory, now);
    this.#clock = now;
  }

  override live(hash: string, network: string): StartLease | null {
    const lease = super.live(hash, network);
    const name = `${hash} ${network}`;
    if (lease !== null) {
      this.#last.set(name, { lease, at: this.#clock() });
      return lease;
    }
    const last = this.#last.get(name);
    if (last === undefined || !this.isFull(hash, network) || this.#clock() >= last.at + STUBBORN_MS)
      return null;
    return { ...last.lease, block: "concurrency_limited" };
  }
}

export const LIMITS_MUTANTS: readonly LimitsMutant[] = [
  {
    mistake: "what an isolate did not use never goes back",
    breaks: "all uses are made while demand lasts",
    system: withQuestions((request) => ({ ...request, unused: null })),
  },
  {
    mistake: "only a renewal gives back what was not used, the end of a lease does not",
    breaks: "all uses are made while demand lasts",
    system: withQuestions((request) => (request.want > 0 ? request : { ...request, unused: null })),
  },
  {
    mistake: "an isolate that goes idle keeps its part of the window",
    breaks: "a window is used up while demand lasts",
    system: withQuestions((request) => (request.want > 0 ? request : { ...request, unused: null })),
  },
  {
    mistake: "an isolate takes all that is left",
    breaks: "a refusal says that a limit is reached",
    system: withQuestions((request) => (request.want > 0 ? { ...request, want: MANY } : request)),
  },
  {
    mistake: "every key is taken for a hot one",
    breaks: "a refusal says that a limit is reached",
    system: withQuestions((request) => ({ ...request, ahead: MANY })),
  },
  {
    mistake: "a new window begins with what was taken in the one before",
    breaks: "a window is used up while demand lasts",
    system: withStore((store) => ({
      use: (id) => {
        const use = store.use(id);
        return use === null ? null : { ...use, windowStart: Number.MAX_SAFE_INTEGER };
      },
    })),
  },
  {
    mistake: "every question opens a new window",
    breaks: "G7: never more",
    system: withStore((store) => ({
      use: (id) => {
        const use = store.use(id);
        return use === null ? null : { ...use, windowStart: 0 };
      },
    })),
  },
  {
    mistake: "a hot isolate keeps the most slots that it ever had",
    breaks: "a refusal says that a limit is reached",
    system: withAnswers(() => {
      let most = 0;
      return {
        ask: (request) => ({
          ...request,
          keeps: request.want > 0 ? Math.max(most, request.keeps) : request.keeps,
        }),
        hear: (answer) => {
          if (answer.kind === "known") most = Math.max(most, answer.slots ?? 0);
        },
      };
    }),
  },
  {
    mistake: "slots are taken for all there are, though more were never asked for",
    breaks: "a refusal says that a limit is reached",
    system: { ...REAL, makeBook: (ask, directory, now) => new StubbornBook(ask, directory, now) },
  },
];

function withQuestions(change: (request: LeaseRequest) => LeaseRequest): System {
  return withAnswers(() => ({ ask: change, hear: () => undefined }));
}

/** Isolates whose questions are changed on the way. */
function withAnswers(
  perIsolate: () => {
    readonly ask: (request: LeaseRequest) => LeaseRequest;
    readonly hear: (answer: LeaseAnswer) => void;
  },
): System {
  return {
    ...REAL,
    makeBook: (ask, directory, now) => {
      const change = perIsolate();
      return new LeaseBook(
        async (locator, request) => {
          const answer = await ask(locator, change.ask(request));
          change.hear(answer);
          return answer;
        },
        directory,
        now,
      );
    },
  };
}
