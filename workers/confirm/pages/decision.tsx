import type { FC, PropsWithChildren } from "hono/jsx";
import type { FreezableKey, ReviewedKey, TrustedNetwork } from "@relaykey/core/rpc";
import type { Step } from "../submission.ts";
import { factsOfTrusted, keyTitle } from "../show/facts.ts";
import { oneLine } from "@relaykey/core/one-line";
import { Choice, FactList } from "./facts.tsx";
import { Problem, StepForm } from "./form.tsx";
import { Layout } from "./layout.tsx";

/** What each of these pages needs. */
export interface DecisionProps {
  readonly nonce: string;
  readonly ticket: string;
  readonly problem: string | null;
  /** Where nothing is decided. */
  readonly back?: string;
}

interface Choices {
  readonly title: string;
  readonly step: Step;
  readonly legend: string;
  readonly keep: { readonly title: string; readonly hint: string };
  readonly act: { readonly value: string; readonly title: string; readonly hint: string };
}

/**
 * A decision that cannot be taken by pressing whatever there is: what acts is neither the first nor the last of the choices,
 * nothing is chosen beforehand, and the one button does nothing without a choice.
 */
const Decision: FC<PropsWithChildren<DecisionProps & Choices>> = (props) => (
  <Layout title={props.title} nonce={props.nonce}>
    <div class="card">
      <h1>{props.title}</h1>
      {props.children}
      {props.problem === null ? null : <Problem>{props.problem}</Problem>}
      <StepForm step={props.step} ticket={props.ticket}>
        <fieldset>
          <legend>{props.legend}</legend>
          <Choice value="keep" {...props.keep} />
          <Choice {...props.act} />
          <Choice value="unsure" title="I’m not sure" hint="Nothing changes." />
        </fieldset>
        <button>Continue</button>
      </StepForm>
      {props.back === undefined ? null : (
        <p class="after">
          <a href={props.back}>Back to the list</a>
        </p>
      )}
    </div>
  </Layout>
);

export const StopTrustingPage: FC<DecisionProps & { readonly network: TrustedNetwork }> = ({
  network,
  ...props
}) => (
  <Decision
    {...props}
    title="Stop trusting this network?"
    step="stop"
    legend="May your keys be used from there?"
    keep={{ title: "Yes, keep it", hint: "Everything stays as it is." }}
    act={{
      value: "act",
      title: "No, stop trusting it",
      hint: "A call from there is stopped, until you confirm the address again.",
    }}
  >
    <p class="mono">{oneLine(network.network, 60)}</p>
    <FactList facts={factsOfTrusted(network)} />
  </Decision>
);

const FREEZE = {
  legend: "What is to happen to the key?",
  keep: { title: "Leave it as it is", hint: "It works where it worked before." },
  title: "Freeze it: it is not safe",
  hint: "It stops working at once, everywhere. Your admins are told.",
} as const;

export const FreezeKeyPage: FC<
  DecisionProps & { readonly reviewed: ReviewedKey; readonly organizationName: string }
> = ({ reviewed, organizationName, ...props }) => (
  <Decision
    {...props}
    title="Freeze this key?"
    step="freeze_key"
    legend={FREEZE.legend}
    keep={FREEZE.keep}
    act={{ value: "act", title: FREEZE.title, hint: FREEZE.hint }}
  >
    <p>
      <strong>“{keyTitle({ keyName: reviewed.name, keyDisplay: reviewed.display })}”</strong> (
      {oneLine(reviewed.display, 40)}) is your key for {oneLine(reviewed.integration, 60)}. Freeze it when
      somebody else may know it. The admins of {oneLine(organizationName, 80)} can give you a new one.
    </p>
  </Decision>
);

/** "This wasn't me", with a link that confirms nothing any more. */
export const LateFreezePage: FC<DecisionProps & { readonly freezable: FreezableKey }> = ({
  freezable,
  ...props
}) => (
  <Decision
    {...props}
    title="Freeze this key?"
    step="late_freeze"
    legend={FREEZE.legend}
    keep={FREEZE.keep}
    act={{ value: "freeze", title: FREEZE.title, hint: FREEZE.hint }}
  >
    <p>
      The link confirms nothing any more, and the address stays locked. But if the call was not yours,
      somebody else knows <strong>“{keyTitle(freezable)}”</strong> ({oneLine(freezable.keyDisplay, 40)}).
    </p>
    <p>The admins of {oneLine(freezable.organizationName, 80)} can give you a new key.</p>
  </Decision>
);
