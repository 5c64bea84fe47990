import type { FC } from "hono/jsx";
import type { ConfirmationView } from "@relaykey/core/rpc";
import { factsOf, keyTitle } from "../show/facts.ts";
import { Choice, FactList } from "./facts.tsx";
import { Problem, StepForm } from "./form.tsx";
import { Layout } from "./layout.tsx";

interface StepPageProps {
  readonly view: ConfirmationView;
  readonly nonce: string;
  readonly ticket: string;
  readonly problem: string | null;
}

/**
 * The question. Nothing is chosen beforehand, what confirms is neither the first nor the last of the choices, and the
 * one button does nothing without a choice: a program that presses whatever it finds confirms nothing.
 */
export const QuestionPage: FC<StepPageProps> = ({ view, nonce, ticket, problem }) => (
  <Layout title="Was this you?" nonce={nonce}>
    <div class="card">
      <h1>Was this you?</h1>
      <p>
        Your key <strong>“{keyTitle(view)}”</strong> was used from an address that it has not been used from
        before. The call was stopped: nothing reached {view.pending.request.integration}.
      </p>
      <FactList facts={factsOf(view)} />
      {problem === null ? null : <Problem>{problem}</Problem>}
      <StepForm step="question" ticket={ticket}>
        <fieldset>
          <legend>Did you, or a program of yours, make this call?</legend>
          <Choice value="no" title="No, this wasn’t me" hint="Next, you can freeze the key." />
          <Choice value="yes" title="Yes, this was me" hint="The key works from this address from now on." />
          <Choice value="unsure" title="I’m not sure" hint="Nothing changes. The address stays locked." />
        </fieldset>
        {view.numberMatching ? (
          <div class="field">
            <label for="number">If it was you: which number were you shown?</label>
            <p class="soft" id="number-hint">
              The stopped call was answered with a message. The number is in it.
            </p>
            <input
              id="number"
              name="number"
              inputmode="numeric"
              autocomplete="off"
              maxlength={12}
              aria-describedby="number-hint"
            />
          </div>
        ) : null}
        <button>Continue</button>
      </StepForm>
    </div>
  </Layout>
);

/** The second step of "this wasn't me". The first button changes nothing. */
export const FreezePage: FC<StepPageProps> = ({ view, nonce, ticket, problem }) => (
  <Layout title="Freeze this key?" nonce={nonce}>
    <div class="card">
      <h1>Freeze this key?</h1>
      <p>
        <strong>“{keyTitle(view)}”</strong> ({view.keyDisplay}) stops working at once, everywhere, also where
        you use it yourself. Whoever made the call cannot use it any more.
      </p>
      <p>The admins of {view.organizationName} are told. They can give you a new key.</p>
      {problem === null ? null : <Problem>{problem}</Problem>}
      <StepForm step="freeze" ticket={ticket}>
        <div class="buttons">
          <button class="plain" name="answer" value="back">
            Go back
          </button>
          <button class="danger" name="answer" value="freeze">
            Freeze the key
          </button>
        </div>
      </StepForm>
    </div>
  </Layout>
);
