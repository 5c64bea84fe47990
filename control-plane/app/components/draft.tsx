import { Notice } from "./notice.tsx";

/** What keeps a form from being lost when its sender has to sign in first. */
export interface KeptForm {
  /** Says whose form it is; goes along with it. */
  readonly owner: string;
  /** What was typed before the sign-in; null when there is nothing. */
  readonly values: Readonly<Record<string, string>> | null;
}

/** Goes into a form whose action begins with `enterWithForm`. */
export function FormOwner({ kept }: { readonly kept: KeptForm }) {
  return <input type="hidden" name="owner" value={kept.owner} autoComplete="off" />;
}

/** Says that the form shows what was typed before the sign-in, and that nothing came of it yet. */
export function DraftNotice(props: {
  readonly kept: KeptForm;
  /** What has to be typed again, such as "the vendor key". */
  readonly secret?: string;
}) {
  if (props.kept.values === null) return null;
  return (
    <Notice tone="info" title="Here is what you had typed">
      You had to prove who you are before it was sent. Nothing has been made: look it through and send it.
      {props.secret !== undefined && ` Type ${props.secret} again: it is never kept.`}
    </Notice>
  );
}
