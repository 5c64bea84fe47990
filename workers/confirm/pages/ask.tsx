import type { FC } from "hono/jsx";
import { Problem, StepForm } from "./form.tsx";
import { Layout } from "./layout.tsx";

/** Asks for a link to the own networks. */
export const AskPage: FC<{ nonce: string; ticket: string; problem: string | null }> = ({
  nonce,
  ticket,
  problem,
}) => (
  <Layout title="Where do your keys work?" nonce={nonce}>
    <div class="card">
      <h1>Where do your keys work?</h1>
      <p>
        A page shows the networks that your keys may be used from, and you can take back what you do not
        recognise. The link to it comes by mail.
      </p>
      {problem === null ? null : <Problem>{problem}</Problem>}
      <StepForm step="ask" ticket={ticket}>
        <div class="field wide">
          <label for="email">Your e-mail address</label>
          <p class="soft" id="email-hint">
            The one that mail about your keys comes to.
          </p>
          <input
            id="email"
            name="email"
            type="email"
            inputmode="email"
            autocomplete="email"
            maxlength={254}
            required
            aria-describedby="email-hint"
          />
        </div>
        <button>Send me the link</button>
      </StepForm>
    </div>
  </Layout>
);
