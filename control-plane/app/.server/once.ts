import { newId } from "@relaykey/core/ids";
import type { Action } from "../../service/authorization.ts";
import { makeOnce } from "../../service/once.ts";
import type { Once } from "../../service/once.ts";
import type { Outcome } from "../../service/outcome.ts";
import type { SentBefore } from "../components/once.tsx";
import { redirectWith } from "./flash.ts";
import type { Redirect } from "./flash.ts";
import type { FormValues } from "./form.ts";
import type { Visit } from "./page.ts";

/** For each form that makes something: its page hands one out with each form (`FormNonce`). */
export function newNonce(): string {
  return newId();
}

/** Makes what a form asks for, unless this very form was sent before. */
export function once<T>(
  { deps, caller }: Pick<Visit, "deps" | "caller">,
  form: FormValues,
  action: Action,
  make: () => Promise<Outcome<T>>,
  idOf: (made: T) => string,
): Promise<Outcome<Once<T>>> {
  return makeOnce(deps, caller, { action, nonce: form.text("nonce") }, make, idOf);
}

/** For a form that shows a secret once: the page that says that it was sent before. */
export function sentBefore(id: string | null): SentBefore {
  return { failure: undefined, sentBefore: { id } };
}

/** For a form that shows no secret: on to what it made. */
export function toWhatWasMade(
  deps: Visit["deps"],
  to: (id: string) => string,
  list: string,
  id: string | null,
): Promise<Redirect> {
  return id === null
    ? redirectWith(deps, list, {
        tone: "waiting",
        text: "The form was sent before, and its answer has not come: look whether it is here.",
      })
    : redirectWith(deps, to(id), {
        tone: "good",
        text: "It was made when the form was sent before. Nothing was made a second time.",
      });
}
