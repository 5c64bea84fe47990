import { Form, useSubmit } from "@remix-run/react";
import { useEffect } from "react";
import { SubmitButton } from "./button.tsx";
import { Notice } from "./notice.tsx";

const PAUSE_MS = 1_500;

/**
 * A change of many keys that the proxy has not confirmed for all of them: goes on by itself with scripts, by a button without,
 * and by the retry job when nobody looks. Its form is sent to `action` as `intent=continue`.
 */
export function GoOn(props: {
  readonly pending: number;
  /** Of so many; absent: what there was before is not known. */
  readonly total?: number;
  readonly mayChange: boolean;
  readonly action: string;
}) {
  const { pending, total, mayChange, action } = props;
  const submit = useSubmit();
  useEffect(() => {
    if (!mayChange) return;
    const timer = setTimeout(() => {
      submit({ intent: "continue" }, { method: "post", action, replace: true, preventScrollReset: true });
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [pending, mayChange, action, submit]);
  const toGo = pending === 1 ? "1 key to go" : `${String(pending)} keys to go`;
  return (
    <Notice
      tone="waiting"
      title={total === undefined ? toGo : `${String(total - pending)} of ${String(total)} confirmed`}
      aside={
        mayChange && (
          <Form method="post" action={action}>
            <input type="hidden" name="intent" value="continue" />
            <SubmitButton size="sm" variant="secondary" pending="Going on …">
              Go on now
            </SubmitButton>
          </Form>
        )
      }
    >
      {total !== undefined && (
        <progress
          className="my-2 block h-2 w-full max-w-md accent-fill"
          max={total}
          value={total - pending}
          aria-label="Keys confirmed by the proxy"
        />
      )}
      The change is stored, and not in force for {pending === 1 ? "one key" : `${String(pending)} keys`}: the
      proxy has not confirmed it there yet. It is tried again each minute, also when this page is closed.
    </Notice>
  );
}
