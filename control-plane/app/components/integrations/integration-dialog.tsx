import type { IntegrationPage } from "../../.server/integration-page.ts";
import { ConfirmDialog } from "../confirm-dialog.tsx";
import type { ShownFailure } from "../failure.ts";
import { Checkbox } from "../field.tsx";
import { GraceField } from "../grace.tsx";
import { VendorKeyField } from "./fields.tsx";

/** Asks before something is done to an integration; nothing, where the address asks for no such thing. */
export function IntegrationDialog(props: {
  readonly page: IntegrationPage;
  readonly which: string | null;
  readonly failure: ShownFailure | undefined;
}) {
  const { page, which } = props;
  const same = { closeTo: `/integrations/${page.slug}`, failure: props.failure };
  if (!page.canChange) return null;
  const keys =
    page.live === 1
      ? "1 live key uses it"
      : `${String(page.live)}${page.hasMoreKeys ? " or more" : ""} live keys use it`;
  switch (which) {
    case "disable":
      return (
        <ConfirmDialog
          {...same}
          title={`Disable ${page.name}?`}
          confirm="Disable"
          pending="Disabling …"
          intent="disable"
        >
          <p>
            Every request to it is refused from then on, whatever its key allows, and open streams are cut
            within two seconds. {keys}.
          </p>
          <p>Keys, their scopes and the vendor key stay as they are; enabling it again undoes this.</p>
        </ConfirmDialog>
      );
    case "enable":
      return (
        <ConfirmDialog
          {...same}
          tone="primary"
          title={`Enable ${page.name}?`}
          confirm="Enable"
          pending="Enabling …"
          intent="enable"
        >
          <p>Its keys work again, as their policies say. {keys}.</p>
        </ConfirmDialog>
      );
    case "rotate":
      return !page.canRotate ? null : (
        <ConfirmDialog
          {...same}
          tone="primary"
          title={`A new vendor key for ${page.name}`}
          confirm="Rotate"
          pending="Rotating …"
          intent="rotate"
        >
          <p>
            RelayKeys stay as they are. Requests use the new key as soon as this is done; those under way end
            under the former one.
          </p>
          <VendorKeyField failure={props.failure} label="New vendor key" />
          {page.hasProbe && (
            <Checkbox
              name="test"
              label="Test it first, and change nothing if the vendor refuses it"
              defaultChecked
            />
          )}
          <GraceField
            name="restorable"
            label="Keep the former key, sealed, for"
            none="destroy it at once"
            hint="For as long, one click rolls back. Revoke the former key at the vendor when all is well."
          />
        </ConfirmDialog>
      );
    case "roll_back":
      return !page.canRotate || page.secret.restorable === null ? null : (
        <ConfirmDialog
          {...same}
          tone="primary"
          title="Use the former vendor key again?"
          confirm="Roll back"
          pending="Rolling back …"
          intent="roll_back"
        >
          <p>
            Version {page.secret.restorable.version} takes the place of version {page.secret.version}, which
            is kept for a day. Nothing else changes.
          </p>
        </ConfirmDialog>
      );
    case "delete":
      return page.keys.length > 0 ? null : (
        <ConfirmDialog
          {...same}
          title={`Delete ${page.name}?`}
          confirm="Delete"
          pending="Deleting …"
          intent="delete"
        >
          <p>The integration and its sealed vendor key are gone for good.</p>
        </ConfirmDialog>
      );
    case null:
    default:
      return null;
  }
}
