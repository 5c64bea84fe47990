import type { KeyPage } from "../../.server/key-page.ts";
import { ConfirmDialog } from "../confirm-dialog.tsx";
import type { ShownFailure } from "../failure.ts";
import { GraceField } from "../grace.tsx";
import { FormNonce } from "../once.tsx";

/** Asks before something is done to a key; nothing, where the address asks for no such thing. */
export function KeyDialog(props: {
  readonly page: KeyPage;
  readonly which: string | null;
  readonly failure: ShownFailure | undefined;
}) {
  const { key, canChange, canRevoke } = props.page;
  const same = { closeTo: `/keys/${key.id}`, failure: props.failure };
  if (key.state === "revoked") return null;
  switch (props.which) {
    case "revoke":
      return !canRevoke ? null : (
        <ConfirmDialog
          {...same}
          title={`Revoke “${key.name}”?`}
          confirm="Revoke the key"
          pending="Revoking …"
          intent="revoke"
        >
          <p>
            From the moment this is done no request starts under the key, anywhere, and streams that are open
            are cut within two seconds.
          </p>
          <p>It cannot be undone. {lastUse(key)}</p>
        </ConfirmDialog>
      );
    case "freeze":
      return !canChange ? null : (
        <ConfirmDialog
          {...same}
          title={`Freeze “${key.name}”?`}
          confirm="Freeze the key"
          pending="Freezing …"
          intent="freeze"
        >
          <p>
            Every request is refused, and open streams are cut, until an admin unfreezes it. {lastUse(key)}
          </p>
        </ConfirmDialog>
      );
    case "unfreeze":
      return !canChange ? null : (
        <ConfirmDialog
          {...same}
          tone="primary"
          title={`Unfreeze “${key.name}”?`}
          confirm="Let it work again"
          pending="Unfreezing …"
          intent="unfreeze"
        >
          <p>Whoever has the key can use it again, as its policy says.</p>
        </ConfirmDialog>
      );
    case "reroll":
      return !canChange ? null : (
        <ConfirmDialog
          {...same}
          tone="primary"
          title={`A new key in place of “${key.name}”?`}
          confirm="Make the new key"
          pending="Making it …"
          intent="reroll"
        >
          <p>It can do the same, has the same holder and limits, and is shown once.</p>
          <FormNonce nonce={props.page.nonce} />
          <GraceField
            name="overlap"
            label="The former key goes on for"
            none="it is revoked at once"
            hint="So that its holder can change over without a gap. After a leak: no time."
          />
        </ConfirmDialog>
      );
    case null:
    default:
      return null;
  }
}

function lastUse(key: KeyPage["key"]): string {
  const requests = key.week.reduce((sum, day) => sum + day, 0);
  if (requests === 0) return "It was not used in the last 7 days.";
  return `It made ${requests === 1 ? "one request" : `${String(requests)} requests`} in the last 7 days: what uses it will fail.`;
}
