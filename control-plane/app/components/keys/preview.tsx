import type { PolicyPreview } from "../../.server/policy-form.ts";
import { SubmitButton } from "../button.tsx";
import type { ShownFailure } from "../failure.ts";
import { TextField } from "../field.tsx";
import { Notice } from "../notice.tsx";
import { PolicyWords } from "./policy-words.tsx";

/** What the form would make, in words, and a request to try on it. With scripts it follows what is typed. */
export function Preview(props: {
  readonly preview: PolicyPreview | null;
  readonly failure: ShownFailure | undefined;
  readonly values: Readonly<Record<string, string>>;
}) {
  const { preview, failure, values } = props;
  return (
    <section
      aria-label="What this key can do"
      className="flex flex-col gap-4 rounded-xl border border-line bg-surface p-4 sm:p-6 lg:sticky lg:top-6"
    >
      <h2 className="text-base font-semibold">What this key can do</h2>
      <div aria-live="polite" className="flex flex-col gap-4">
        {preview === null ? (
          <p className="text-sm text-muted">
            {failure === undefined
              ? "Choose what it may do, then look here for what that means."
              : (failure.errors[0]?.message ?? failure.detail)}
          </p>
        ) : (
          <PolicyWords sentences={preview.sentences} />
        )}
        {preview?.test != null && (
          <Notice
            tone={preview.test.allowed ? "good" : "bad"}
            title={preview.test.allowed ? "Would be allowed" : "Would be refused"}
          >
            <code className="block font-mono text-xs break-words">{preview.test.request}</code>
            {preview.test.detail}
          </Notice>
        )}
      </div>
      <TextField
        name="test"
        label="Try a request"
        placeholder="GET /v1/models/gpt-4o"
        hint="Judged by the code that the proxy runs. Nothing is sent."
        defaultValue={values["test"] ?? ""}
      />
      <SubmitButton name="intent" value="preview" variant="secondary" formNoValidate>
        Check
      </SubmitButton>
    </section>
  );
}
