import type { ReviewView, ReviewedKey, TrustedNetwork } from "@relaykey/core/rpc";
import type { Link } from "./link.ts";
import { FreezeKeyPage, StopTrustingPage } from "./pages/decision.tsx";
import type { DecisionProps } from "./pages/decision.tsx";
import type { End, EndFacts } from "./pages/ends.tsx";
import { ReviewPage } from "./pages/review.tsx";
import { keyTitle } from "./show/facts.ts";
import { NO_CHOICE, PROBLEMS } from "./sitting.tsx";
import type { Shown, Sitting } from "./sitting.tsx";

/** What a visitor has picked from the list, and is asked about. */
type Picked =
  | { readonly step: "stop"; readonly id: string; readonly network: TrustedNetwork }
  | { readonly step: "freeze_key"; readonly id: string; readonly key: ReviewedKey };

/** A visit of the page about a holder's own networks and keys. Picking is a link, which changes nothing; deciding is a form. */
export class ReviewVisit {
  readonly #sitting: Sitting;
  readonly #code: string;
  readonly #query: URLSearchParams;

  constructor(sitting: Sitting, code: string, query: URLSearchParams) {
    this.#sitting = sitting;
    this.#code = code;
    this.#query = query;
  }

  /** GET and HEAD. */
  look(): Promise<Shown> {
    return this.#visit(async (view) => {
      const picked = this.#picked(view);
      return picked === null ? this.#list(view) : this.#decision(view, picked, null);
    });
  }

  /** POST, of what was picked. */
  answer(form: URLSearchParams): Promise<Shown> {
    return this.#visit(async (view, link) => {
      const picked = this.#picked(view);
      const judged = await this.#sitting.judge(form, this.#about(picked));
      if (!judged.ok) {
        if (judged.problem === "foreign") return this.#sitting.end("refused");
        return picked === null ? this.#list(view) : this.#decision(view, picked, PROBLEMS[judged.problem]);
      }
      // It was removed, or frozen, meanwhile: the list shows it.
      if (picked === null) return this.#list(view);
      switch (judged.submission.answer) {
        case "act":
          return picked.step === "stop" ? this.#stop(link, picked) : this.#freeze(link, picked);
        case "keep":
        case "unsure":
          return this.#end("kept");
        case null:
        default:
          return this.#decision(view, picked, NO_CHOICE);
      }
    });
  }

  #visit(visit: (view: ReviewView, link: Link) => Promise<Shown>): Promise<Shown> {
    return this.#sitting.follow(this.#code, async (link) => {
      const view = await this.#sitting.deps.confirmations.review(link.holderLocator, link.token);
      return view.state === "ended" ? this.#sitting.end("review_ended") : visit(view, link);
    });
  }

  /** Only what is on the list, and the holder's to decide. */
  #picked({ trusted, keys }: ReviewView): Picked | null {
    const [stop, freeze] = [this.#query.get("stop"), this.#query.get("freeze")];
    const network = trusted.find((known) => known.network === stop && known.source !== "approved");
    if (network !== undefined) return { step: "stop", id: network.network, network };
    const key = keys.find((known) => known.keyId === freeze && !known.isFrozen);
    return key === undefined ? null : { step: "freeze_key", id: key.keyId, key };
  }

  /** A form for one network is none for another. */
  #about(picked: Picked | null): string {
    return `${this.#code} ${picked?.id ?? ""}`;
  }

  #list(view: ReviewView): Promise<Shown> {
    return Promise.resolve(
      this.#sitting.page(<ReviewPage view={view} code={this.#code} nonce={this.#sitting.nonce} />, null),
    );
  }

  async #decision(view: ReviewView, picked: Picked, problem: string | null): Promise<Shown> {
    const ticket = await this.#sitting.ticket(picked.step, this.#about(picked));
    const props: DecisionProps = { nonce: this.#sitting.nonce, ticket, problem, back: `/n/${this.#code}` };
    const page =
      picked.step === "stop" ? (
        <StopTrustingPage {...props} network={picked.network} />
      ) : (
        <FreezeKeyPage {...props} reviewed={picked.key} organizationName={view.organizationName} />
      );
    return this.#sitting.page(page, problem);
  }

  async #stop({ holderLocator, token }: Link, { network }: Picked & { step: "stop" }): Promise<Shown> {
    const { confirmations } = this.#sitting.deps;
    const { state } = await confirmations.stopTrusting(holderLocator, token, network.network);
    if (state === "ended") return this.#sitting.end("review_ended");
    return this.#end(state, { address: network.network });
  }

  async #freeze({ holderLocator, token }: Link, { key }: Picked & { step: "freeze_key" }): Promise<Shown> {
    const { confirmations } = this.#sitting.deps;
    const { state, withinSeconds } = await confirmations.freezeKey(holderLocator, token, key.keyId);
    if (state === "ended") return this.#sitting.end("review_ended");
    const facts = { key: keyTitle({ keyName: key.name, keyDisplay: key.display }) };
    return this.#end(state === "frozen_now" && withinSeconds > 0 ? "frozen_soon" : state, {
      ...facts,
      withinSeconds,
    });
  }

  #end(end: End, facts: EndFacts = {}): Shown {
    return this.#sitting.end(end, { facts, back: `/n/${this.#code}` });
  }
}
