import { Form, Link } from "@remix-run/react";
import type { KeyPage } from "../../.server/key-page.ts";
import { SubmitButton } from "../button.tsx";
import { Moment } from "../moment.tsx";
import { Notice } from "../notice.tsx";

/** Why a key does not work, or not yet as its page says. */
export function KeyNotices({ page }: { readonly page: KeyPage }) {
  const { key, frozen, holder, revokedAt } = page;
  return (
    <>
      {key.isPending && (
        <Notice
          tone="waiting"
          title="Pending, not enforced yet"
          aside={
            page.canChange && (
              <Form method="post">
                <SubmitButton name="intent" value="retry" size="sm" variant="secondary" pending="Trying …">
                  Try again now
                </SubmitButton>
              </Form>
            )
          }
        >
          The latest change (version {page.policyVersion}) is stored, and not in force: the proxy has not
          confirmed it
          {page.proxy.version === null ? "" : `, version ${String(page.proxy.version)} holds there`}. It is
          tried again each minute, and this page notices.
        </Notice>
      )}
      {revokedAt !== null && (
        <Notice tone="info" title="Revoked">
          Since <Moment iso={revokedAt} /> UTC, for good. Make a new key where one is needed.
        </Notice>
      )}
      {frozen !== null && (
        <Notice tone="bad" title={frozen.by === "holder" ? "Frozen by its holder" : "Frozen"}>
          {frozen.by === "holder"
            ? "Its holder said that a request from a new network was not theirs. Look at the requests below before you unfreeze it; a new key is often the better answer."
            : "Every request is refused until an admin unfreezes it."}
        </Notice>
      )}
      {holder.isFrozen && (
        <Notice tone="bad" title="Its holder is frozen">
          Every key of {key.holder.name} is refused.{" "}
          <Link className="underline" to={`/holders/${key.holder.id}`}>
            Open the holder
          </Link>
        </Notice>
      )}
      {!page.canChange && (
        <Notice tone="info">You can look at this key. To change it, ask an admin of the organization.</Notice>
      )}
    </>
  );
}
