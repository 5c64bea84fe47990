import type { JSX } from "hono/jsx/jsx-runtime";
import { browserCookie } from "./browser-cookie.ts";
import type { BrowserCookie } from "./browser-cookie.ts";
import type { Dependencies } from "./config.ts";
import { decodeLink } from "./link.ts";
import type { Link } from "./link.ts";
import { log } from "@relaykey/core/log";
import { EndPage, endStatus } from "./pages/ends.tsx";
import type { End, EndPageProps } from "./pages/ends.tsx";
import { judgeSubmission, makeTicket } from "./submission.ts";
import type { Judged, Step } from "./submission.ts";

/** A page before it is an answer, or where to go instead. */
export type Shown =
  | { readonly status: number; readonly page: JSX.Element; readonly cookie: string | null }
  | { readonly location: string };

/** What a form is answered with that was sent too soon, too late, or by a program. */
export const PROBLEMS = {
  program:
    "That looked like a program, not a person. Nothing was changed. Choose, and press the button yourself.",
  hasty: "That was very quick. Nothing was changed. Look at it once more, then press the button again.",
  stale:
    "This page had been open for too long, or cookies are off. Nothing was changed. Please answer again.",
} as const;
export const NO_CHOICE = "Choose one of the answers first.";

/** One request of a browser: what pages are made with, and what forms are judged by. */
export class Sitting {
  readonly deps: Dependencies;
  readonly request: Request;
  readonly nonce: string;
  readonly now: number;
  readonly #cookie: BrowserCookie;

  constructor(deps: Dependencies, request: Request, nonce: string, now: number) {
    this.deps = deps;
    this.request = request;
    this.nonce = nonce;
    this.now = now;
    this.#cookie = browserCookie(request, deps.origin);
  }

  /**
   * Visits what a link leads to. A link that this Worker has not made costs no call of the data plane, and one that cannot be
   * asked there ends where nothing was changed.
   */
  async follow(code: string, visit: (link: Link) => Promise<Shown>): Promise<Shown> {
    const link = await decodeLink(code, this.deps.key);
    if (link === null) return this.end("unknown");
    try {
      return await visit(link);
    } catch {
      log("error", "data_plane_unreachable");
      return this.end("unavailable");
    }
  }

  /** Lets a form be sent for what it is about, by this browser. */
  ticket(step: Step, about: string): Promise<string> {
    return makeTicket(step, this.#binding(about), this.now);
  }

  async judge(form: URLSearchParams, about: string): Promise<Judged> {
    const { headers } = this.request;
    const judged = await judgeSubmission(headers, form, this.deps.origin, this.#binding(about), this.now);
    if (!judged.ok) log("warn", "answer_refused", { problem: judged.problem, step: judged.step });
    return judged;
  }

  /** A page with a form. */
  page(page: JSX.Element, problem: string | null): Shown {
    return { status: problem === null ? 200 : 422, page, cookie: this.#cookie.header };
  }

  /** A page that ends the visit; with a form in it, it needs the cookie as well. */
  end(end: End, more: Omit<EndPageProps, "end" | "nonce"> = {}): Shown {
    const page = <EndPage end={end} nonce={this.nonce} {...more} />;
    const hasForm = more.resendTicket !== undefined || more.reviewTicket !== undefined;
    return { status: endStatus(end), page, cookie: hasForm ? this.#cookie.header : null };
  }

  #binding(about: string): { readonly key: CryptoKey; readonly about: string; readonly browser: string } {
    return { key: this.deps.key, about, browser: this.#cookie.value };
  }
}
