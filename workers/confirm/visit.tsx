import type { ConfirmationView, EndedLink, FreezableKey } from "@relaykey/core/rpc";
import { encodeLink } from "./link.ts";
import type { Link } from "./link.ts";
import type { End } from "./pages/ends.tsx";
import { LateFreezePage } from "./pages/decision.tsx";
import { FreezePage, QuestionPage } from "./pages/question.tsx";
import { keyTitle } from "./show/facts.ts";
import { NO_CHOICE, PROBLEMS } from "./sitting.tsx";
import type { Shown, Sitting } from "./sitting.tsx";
import type { Step, Submission } from "./submission.ts";

const NO_NUMBER = "Type the number that the stopped call was answered with.";
const WRONG_NUMBER = "That is not the number. Look at the answer of the stopped call, and type it again.";
const NUMBER = /^[0-9A-Za-z]{1,12}$/;

/** A visit of a confirmation link: looking, which changes nothing, and answering. */
export class Visit {
  readonly #sitting: Sitting;
  readonly #code: string;

  constructor(sitting: Sitting, code: string) {
    this.#sitting = sitting;
    this.#code = code;
  }

  /** GET and HEAD. @param wantsFreeze to say "this wasn't me" with a link that confirms nothing any more. */
  look(wantsFreeze: boolean): Promise<Shown> {
    return this.#sitting.follow(this.#code, (link) =>
      this.#ask(link, null, wantsFreeze ? "late_freeze" : null),
    );
  }

  /** POST. */
  answer(form: URLSearchParams): Promise<Shown> {
    return this.#sitting.follow(this.#code, async (link) => {
      const judged = await this.#sitting.judge(form, this.#code);
      if (judged.ok) return this.#act(link, judged.submission);
      if (judged.problem === "foreign") return this.#sitting.end("refused");
      return this.#ask(link, PROBLEMS[judged.problem], judged.step);
    });
  }

  async #act(link: Link, { step, answer, number }: Submission): Promise<Shown> {
    const { confirmations } = this.#sitting.deps;
    const { holderLocator, token } = link;
    if (step === "resend") return this.#sitting.end((await confirmations.resend(holderLocator, token)).state);
    if (step === "open_review") return this.#openReview(link);
    const view = await confirmations.view(holderLocator, token);
    if (step === "late_freeze") return this.#freezeLate(link, view, answer);
    if (view.state !== "pending") return this.#ended(view);
    if (step === "freeze") return answer === "freeze" ? this.#reject(link, view) : this.#ask(link, null);
    switch (answer) {
      case "yes":
        return this.#confirm(link, view, number);
      case "no":
        return this.#freezePage(view, null);
      case "unsure":
        return this.#sitting.end("unsure");
      case null:
      default:
        return this.#questionPage(view, NO_CHOICE);
    }
  }

  async #confirm(link: Link, view: ConfirmationView, typed: string | null): Promise<Shown> {
    const number = view.numberMatching ? (typed ?? "").replace(/\s/g, "") : null;
    if (number !== null && !NUMBER.test(number)) return this.#questionPage(view, NO_NUMBER);
    const { state } = await this.#sitting.deps.confirmations.confirm(link.holderLocator, link.token, number);
    if (state === "mismatch") return this.#questionPage(view, WRONG_NUMBER);
    // Too many wrong numbers: the link still freezes.
    return state === "locked" ? this.#ask(link, null) : this.#done(state, view);
  }

  async #reject(link: Link, key: FreezableKey): Promise<Shown> {
    const { state } = await this.#sitting.deps.confirmations.reject(link.holderLocator, link.token);
    return this.#done(state, key);
  }

  async #freezeLate(link: Link, view: ConfirmationView | EndedLink, answer: string | null): Promise<Shown> {
    // A new mail about the same address has made the link good again, or the key has ended.
    const key = view.state === "pending" ? view : view.freezable;
    if (key === undefined) return this.#ended(view as EndedLink);
    switch (answer) {
      case "freeze":
        return this.#reject(link, key);
      case "keep":
      case "unsure":
        return this.#sitting.end("kept");
      case null:
      default:
        return this.#lateFreezePage(key, NO_CHOICE);
    }
  }

  /** Whoever has just answered here may look at all of the own networks. */
  async #openReview({ holderLocator, token }: Link): Promise<Shown> {
    const { confirmations, key } = this.#sitting.deps;
    const review = await confirmations.openReview(holderLocator, token);
    if (review === null) return this.#sitting.end("review_ended");
    return { location: `/n/${await encodeLink({ holderLocator, token: review }, key)}` };
  }

  /** The form again, where there is still something to answer. */
  async #ask(link: Link, problem: string | null, step: Step | null = null): Promise<Shown> {
    const view = await this.#sitting.deps.confirmations.view(link.holderLocator, link.token);
    if (view.state !== "pending") {
      return step === "late_freeze" && view.freezable !== undefined
        ? this.#lateFreezePage(view.freezable, problem)
        : this.#ended(view);
    }
    return step === "freeze" ? this.#freezePage(view, problem) : this.#questionPage(view, problem);
  }

  async #questionPage(view: ConfirmationView, problem: string | null): Promise<Shown> {
    const ticket = await this.#sitting.ticket("question", this.#code);
    const props = { view, nonce: this.#sitting.nonce, ticket, problem };
    return this.#sitting.page(<QuestionPage {...props} />, problem);
  }

  async #freezePage(view: ConfirmationView, problem: string | null): Promise<Shown> {
    const ticket = await this.#sitting.ticket("freeze", this.#code);
    const props = { view, nonce: this.#sitting.nonce, ticket, problem };
    return this.#sitting.page(<FreezePage {...props} />, problem);
  }

  async #lateFreezePage(freezable: FreezableKey, problem: string | null): Promise<Shown> {
    const ticket = await this.#sitting.ticket("late_freeze", this.#code);
    const props = { freezable, nonce: this.#sitting.nonce, ticket, problem };
    return this.#sitting.page(<LateFreezePage {...props} />, problem);
  }

  /** An end that the link itself has: an expired one can be replaced, and it still freezes. */
  async #ended({ state, freezable }: EndedLink): Promise<Shown> {
    const resendTicket = state === "expired" ? await this.#sitting.ticket("resend", this.#code) : undefined;
    return this.#sitting.end(state, {
      ...(resendTicket === undefined ? {} : { resendTicket }),
      ...(freezable === undefined ? {} : { freezeHref: "?freeze" }),
    });
  }

  /** What an answer has led to. */
  async #done(end: End, key: FreezableKey | ConfirmationView): Promise<Shown> {
    const facts = {
      key: keyTitle(key),
      ...("pending" in key ? { address: key.pending.request.address } : {}),
    };
    if (end !== "confirmed_now" && end !== "frozen_now") return this.#sitting.end(end, { facts });
    const reviewTicket = await this.#sitting.ticket("open_review", this.#code);
    return this.#sitting.end(end, { facts, reviewTicket });
  }
}
