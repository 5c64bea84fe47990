import { clientIp } from "@relaykey/core/client-ip";
import { parseEmail } from "@relaykey/core/email";
import { encodeReviewRequest } from "@relaykey/core/review-request";
import { log } from "@relaykey/core/log";
import { AskPage } from "./pages/ask.tsx";
import { PROBLEMS } from "./sitting.tsx";
import type { Shown, Sitting } from "./sitting.tsx";

const NO_ADDRESS = "Type the address that your RelayKey mail comes to, such as ann@example.com.";
/** What the form is bound to: it belongs to no link. */
const ABOUT = "ask";

/** Somebody asks for a link to their own networks. Whether anybody is known at the address is not known here, nor told. */
export class Asking {
  readonly #sitting: Sitting;

  constructor(sitting: Sitting) {
    this.#sitting = sitting;
  }

  look(): Promise<Shown> {
    return this.#page(null);
  }

  async answer(form: URLSearchParams): Promise<Shown> {
    const judged = await this.#sitting.judge(form, ABOUT);
    if (!judged.ok) {
      return judged.problem === "foreign"
        ? this.#sitting.end("refused")
        : this.#page(PROBLEMS[judged.problem]);
    }
    const email = parseEmail(judged.submission.email ?? "")?.address ?? null;
    if (email === null) return this.#page(NO_ADDRESS);
    const { deps, request, now } = this.#sitting;
    const network = clientIp(request, deps.clientIps)?.network ?? null;
    const message = encodeReviewRequest({ v: 1, kind: "review_request", email, network, at: now });
    try {
      await deps.notices.send(message, { contentType: "text" });
    } catch {
      log("error", "review_request_not_queued");
      return this.#sitting.end("unavailable");
    }
    return this.#sitting.end("asked");
  }

  async #page(problem: string | null): Promise<Shown> {
    const ticket = await this.#sitting.ticket("ask", ABOUT);
    return this.#sitting.page(
      <AskPage nonce={this.#sitting.nonce} ticket={ticket} problem={problem} />,
      problem,
    );
  }
}
