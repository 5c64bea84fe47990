import { Form, useNavigate } from "@remix-run/react";
import { useEffect, useRef } from "react";
import type { ReactNode } from "react";
import { LinkButton, SubmitButton } from "./button.tsx";
import type { ShownFailure } from "./failure.ts";
import { FormFailure } from "./form.tsx";

/**
 * Asks before something that cannot be taken back. It is open because the address says so (`?confirm=revoke`): without
 * scripts it is a part of the page, with them a modal dialog; Escape and "Cancel" lead to `closeTo`.
 */
export function ConfirmDialog(props: {
  readonly title: string;
  /** The consequences in plain words, and fields if any. */
  readonly children: ReactNode;
  readonly confirm: string;
  readonly pending?: string;
  readonly closeTo: string;
  /** Sent as `intent`. */
  readonly intent: string;
  readonly tone?: "danger" | "primary";
  readonly failure?: ShownFailure | undefined;
  /** Where the form goes, if not to this page. */
  readonly action?: string;
}) {
  const { closeTo } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const navigate = useNavigate();
  useEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    element.close();
    element.showModal();
  }, []);
  return (
    <dialog
      open
      ref={dialog}
      aria-labelledby="confirm-title"
      onCancel={(event) => {
        event.preventDefault();
        navigate(closeTo, { preventScrollReset: true });
      }}
      className="fixed inset-x-0 top-[12vh] z-50 mx-auto max-h-[80vh] w-[min(32rem,calc(100vw-2rem))] overflow-y-auto rounded-2xl border border-line bg-surface p-6 text-ink shadow-2xl"
    >
      <h2 id="confirm-title" className="text-lg font-semibold">
        {props.title}
      </h2>
      <Form
        method="post"
        className="mt-3 flex flex-col gap-4"
        {...(props.action === undefined ? {} : { action: props.action })}
      >
        <FormFailure failure={props.failure} />
        <div className="flex flex-col gap-3 text-sm text-muted">{props.children}</div>
        <input type="hidden" name="intent" value={props.intent} />
        <div className="flex flex-wrap justify-end gap-3">
          <LinkButton to={closeTo} preventScrollReset>
            Cancel
          </LinkButton>
          <SubmitButton variant={props.tone ?? "danger"} pending={props.pending ?? "Working …"}>
            {props.confirm}
          </SubmitButton>
        </div>
      </Form>
    </dialog>
  );
}
