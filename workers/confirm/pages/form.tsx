import type { FC, PropsWithChildren } from "hono/jsx";
import { DECOY_FIELD } from "../submission.ts";
import type { Step } from "../submission.ts";

interface StepFormProps {
  readonly step: Step;
  /** Binds the form to the browser it was made for. */
  readonly ticket: string;
}

/** A form that changes something, with all that tells a person's from a program's. */
export const StepForm: FC<PropsWithChildren<StepFormProps>> = ({ step, ticket, children }) => (
  <form method="post" autocomplete="off">
    <input type="hidden" name="step" value={step} />
    <input type="hidden" name="ticket" value={ticket} />
    <input type="hidden" name="script" value="" />
    {/* Nobody sees it; programs that fill in everything do. */}
    <div class="decoy" aria-hidden="true">
      <label>
        Leave this empty
        <input type="text" name={DECOY_FIELD} tabindex={-1} autocomplete="off" />
      </label>
    </div>
    {children}
  </form>
);

/** Has the focus, so that it is on the screen, and read, without a script. */
export const Problem: FC<PropsWithChildren> = ({ children }) => (
  <p class="problem" role="alert" tabindex={-1} autofocus>
    {children}
  </p>
);
