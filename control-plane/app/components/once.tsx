import type { ReactNode } from "react";
import { LinkButton } from "./button.tsx";
import { Notice } from "./notice.tsx";
import { PageHeader } from "./page-header.tsx";

/** Says which of all the forms that were handed out this one is: sent twice, it makes what it makes once. */
export function FormNonce({ nonce }: { readonly nonce: string }) {
  // Some browsers fill a hidden field with what it held before a reload: it would be the form that was sent already.
  return <input type="hidden" name="nonce" value={nonce} autoComplete="off" />;
}

/** What the action of a form answers that was sent before. `id` is null when the first time was not answered. */
export interface SentBefore {
  readonly failure: undefined;
  readonly sentBefore: { readonly id: string | null };
}

/** The answer to a form that was sent before: nothing is made a second time, and nothing secret is shown again. */
export function AlreadyMade(props: {
  /** Such as "key". */
  readonly what: string;
  /** What it showed once, such as "the key". */
  readonly secret: string;
  readonly id: string | null;
  readonly list: { readonly to: string; readonly label: string };
  /** The page of what was made. */
  readonly to: (id: string) => string;
  /** How to come by a secret that was not copied. */
  readonly lost: ReactNode;
  readonly lostAction: (id: string) => ReactNode;
  /** The form, empty. */
  readonly again: string;
}) {
  const { what, secret, id, list, again } = props;
  return (
    <>
      <PageHeader
        title={id === null ? "This form was sent before" : `This ${what} is made already`}
        back={list}
        note="The form was sent a second time: by a reload, the back button or a double click."
      />
      <Notice tone={id === null ? "waiting" : "info"} title={`No second ${what} was made`}>
        {id === null ? (
          <p>
            The answer to the first time has not come. Look into the list whether the {what} is there; if it
            is not, start again.
          </p>
        ) : (
          <p>
            What was shown once, {secret}, is not shown again: not to a reload, and not to whoever sits at
            this browser later. {props.lost}
          </p>
        )}
      </Notice>
      <div className="mt-6 flex flex-wrap gap-3">
        {id === null ? (
          <LinkButton to={list.to} variant="primary">
            {list.label}
          </LinkButton>
        ) : (
          <>
            <LinkButton to={props.to(id)} variant="primary">
              Open the {what}
            </LinkButton>
            {props.lostAction(id)}
          </>
        )}
        <LinkButton to={again}>Make another {what}</LinkButton>
      </div>
    </>
  );
}
