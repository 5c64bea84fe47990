import type { JSX } from "hono/jsx/jsx-runtime";
import type { ConfirmationView } from "@relaykey/core/rpc";
import { browserCookie } from "./browser-cookie.ts";
import type { Dependencies } from "./config.ts";
import { decodeLink } from "./link.ts";
import type { Link } from "./link.ts";
import { log } from "./log.ts";
import { EndPage, endStatus } from "./pages/ends.tsx";
import type { End } from "./pages/ends.tsx";
import { FreezePage, QuestionPage } from "./pages/question.tsx";
import { judgeSubmission, makeTicket } from "./submission.ts";
import type { Step, Submission } from "./submission.ts";

/** A page, before it is an answer. */
export interface Shown {
  readonly status: number;
  readonly page: JSX.Element;
  readonly cookie: string | null;
}

const PROBLEMS = {
  program:
    "That looked like a program, not a person. Nothing was changed. Choose, and press the button yourself.",
  hasty: "That was very quick. Nothing was changed. Look at it once more, then press the button again.",
  stale:
    "This page had been open for too long, or cookies are off. Nothing was changed. Please answer again.",
} as const;
const NO_CHOICE = "Choose one of the answers first.";
const NO_NUMBER = "Type the number that the stopped call was answered with.";
const WRONG_NUMBER = "That is not the number. Look at the answer of the stopped call, and type it again.";
const NUMBER = /^[0-9A-Za-z]{1,12}$/;

/** A visit of a confirmation link: looking, which changes nothing, and answering. */
export class Visit {
  readonly #deps: Dependencies;
  readonly #request: Request;
  readonly #nonce: string;
  readonly #now: number;
  readonly #cookie: { readonly value: string; readonly header: string };

  constructor(deps: Dependencies, request: Request, nonce: string, now: number) {
    this.#deps = deps;
    this.#request = request;
    this.#nonce = nonce;
    this.#now = now;
    this.#cookie = browserCookie(request, deps.origin);
  }

  /** GET and HEAD. */
  look(code: string): Promise<Shown> {
    return this.#guarded(code, (link) => this.#ask(link, null));
  }

  /** POST. */
  answer(code: string, form: URLSearchParams): Promise<Shown> {
    return this.#guarded(code, async (link) => {
      const judged = await judgeSubmission(
        this.#request.headers,
        form,
        this.#deps.origin,
        this.#binding(link),
        this.#now,
      );
      if (judged.ok) return this.#act(link, judged.submission);
      log("warn", "answer_refused", { problem: judged.problem, step: judged.step });
      if (judged.problem === "foreign") return this.#end("refused");
      return this.#ask(link, PROBLEMS[judged.problem], judged.step === "freeze" ? "freeze" : "question");
    });
  }

  async #guarded(code: string, visit: (link: Link) => Promise<Shown>): Promise<Shown> {
    const link = await decodeLink(code, this.#deps.key);
    if (link === null) return this.#end("unknown");
    try {
      return await visit(link);
    } catch {
      log("error", "data_plane_unreachable");
      return this.#end("unavailable");
    }
  }

  async #act(link: Link, { step, answer, number }: Submission): Promise<Shown> {
    const { confirmations } = this.#deps;
    const { holderLocator, token } = link;
    if (step === "resend") return this.#end((await confirmations.resend(holderLocator, token)).state);
    const view = await confirmations.view(holderLocator, token);
    if (view.state !== "pending") return this.#endOf(view.state, link);
    if (step === "freeze") {
      if (answer !== "freeze") return this.#ask(link, null);
      const { state } = await confirmations.reject(holderLocator, token);
      return this.#endOf(state, link, view);
    }
    switch (answer) {
      case "yes":
        return this.#confirm(link, view, number);
      case "no":
        return this.#freezePage(link, view, null);
      case "unsure":
        return this.#end("unsure");
      case null:
      default:
        return this.#questionPage(link, view, NO_CHOICE);
    }
  }

  async #confirm(link: Link, view: ConfirmationView, typed: string | null): Promise<Shown> {
    const number = view.numberMatching ? (typed ?? "").replace(/\s/g, "") : null;
    if (number !== null && !NUMBER.test(number)) return this.#questionPage(link, view, NO_NUMBER);
    const { state } = await this.#deps.confirmations.confirm(link.holderLocator, link.token, number);
    if (state === "mismatch") return this.#questionPage(link, view, WRONG_NUMBER);
    return this.#endOf(state, link, view);
  }

  /** The form again, where there is still something to answer. */
  async #ask(link: Link, problem: string | null, step: "question" | "freeze" = "question"): Promise<Shown> {
    const view = await this.#deps.confirmations.view(link.holderLocator, link.token);
    if (view.state !== "pending") return this.#endOf(view.state, link);
    return step === "freeze"
      ? this.#freezePage(link, view, problem)
      : this.#questionPage(link, view, problem);
  }

  async #questionPage(link: Link, view: ConfirmationView, problem: string | null): Promise<Shown> {
    const ticket = await this.#ticket("question", link);
    const props = { view, nonce: this.#nonce, ticket, problem };
    return this.#shown(<QuestionPage {...props} />, problem === null ? 200 : 422);
  }

  async #freezePage(link: Link, view: ConfirmationView, problem: string | null): Promise<Shown> {
    const ticket = await this.#ticket("freeze", link);
    const props = { view, nonce: this.#nonce, ticket, problem };
    return this.#shown(<FreezePage {...props} />, problem === null ? 200 : 422);
  }

  /** An end that the link itself has; an expired one can be replaced. */
  async #endOf(end: End, link: Link, view: ConfirmationView | null = null): Promise<Shown> {
    if (end !== "expired") return this.#end(end, view);
    const ticket = await this.#ticket("resend", link);
    return this.#shown(<EndPage end={end} nonce={this.#nonce} ticket={ticket} />, endStatus(end));
  }

  #end(end: End, view: ConfirmationView | null = null): Shown {
    return {
      status: endStatus(end),
      page: <EndPage end={end} nonce={this.#nonce} view={view} />,
      cookie: null,
    };
  }

  #shown(page: JSX.Element, status: number): Shown {
    return { status, page, cookie: this.#cookie.header };
  }

  #ticket(step: Step, link: Link): Promise<string> {
    return makeTicket(step, this.#binding(link), this.#now);
  }

  #binding(link: Link): { key: CryptoKey; link: Link; browser: string } {
    return { key: this.#deps.key, link, browser: this.#cookie.value };
  }
}
