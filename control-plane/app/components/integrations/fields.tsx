import { fieldError } from "../failure.ts";
import type { ShownFailure } from "../failure.ts";
import { Checkbox, RadioGroup, SelectField, TextArea, TextField } from "../field.tsx";

interface Part {
  readonly values: Readonly<Record<string, string>>;
  readonly failure: ShownFailure | undefined;
}

/** Where the vendor is, and where it expects its key. */
export function UpstreamFields({ values, failure }: Part) {
  const text = (name: string) => ({
    name,
    defaultValue: values[name] ?? "",
    error: fieldError(failure, name),
  });
  return (
    <div className="group/credential flex flex-col gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField {...text("name")} label="Name" maxLength={100} required />
        <TextField
          {...text("upstream")}
          label="Upstream"
          inputMode="url"
          hint="https://host/optional/path. The vendor key is sent there and nowhere else."
          required
        />
      </div>
      <RadioGroup
        name="credential"
        label="Where the vendor expects its key"
        defaultValue={values["credential"]}
        error={fieldError(failure, "credential")}
        choices={[
          { value: "bearer", label: "Authorization: Bearer …" },
          { value: "header", label: "A header of its own" },
          { value: "basic", label: "Authorization: Basic …", hint: "User name and password." },
          { value: "query", label: "A query parameter" },
        ]}
      />
      <div className="hidden gap-4 group-has-[[name=credential][value=header]:checked]/credential:grid sm:grid-cols-2">
        <TextField {...text("credential.header")} label="Header" hint="Such as x-api-key." />
        <TextField
          {...text("credential.template")}
          label="Value"
          hint="{secret} stands for the vendor key."
        />
      </div>
      <div className="hidden gap-4 group-has-[[name=credential][value=basic]:checked]/credential:grid sm:grid-cols-2">
        <TextField
          {...text("credential.username")}
          label="User name"
          hint="{secret} stands for the vendor key."
        />
        <TextField {...text("credential.password")} label="Password" hint="May be empty." />
      </div>
      <div className="hidden group-has-[[name=credential][value=query]:checked]/credential:block">
        <TextField {...text("credential.query")} label="Parameter" />
      </div>
    </div>
  );
}

/** What travels, what is recorded, what is risked. Each danger is spelled out beside its switch. */
export function BehaviourFields({ values, failure }: Part) {
  const tick = (name: string) => ({ name, defaultChecked: values[name] === "on" });
  return (
    <div className="flex flex-col gap-5">
      <TextArea
        name="request_headers"
        label="Request headers"
        mono
        rows={3}
        hint='Beyond the safe list: names, or prefixes such as "openai-*". What is not named is not sent on.'
        defaultValue={values["request_headers"] ?? ""}
        error={fieldError(failure, "request_headers")}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField
          name="dialect"
          label="Refusals are dressed for"
          defaultValue={values["dialect"]}
          hint="So that the vendor's SDK shows them and does not retry them."
          error={fieldError(failure, "dialect")}
          choices={[
            { value: "plain", label: "most SDKs" },
            { value: "slack", label: "Slack" },
            { value: "aws", label: "AWS" },
            { value: "octokit", label: "Octokit (GitHub)" },
          ]}
        />
        <TextField
          name="timeout"
          label="Time-out, in seconds"
          inputMode="numeric"
          hint="Until the vendor's answer begins. Streams may go on."
          defaultValue={values["timeout"] ?? ""}
          error={fieldError(failure, "timeout_ms")}
        />
      </div>
      <Checkbox
        {...tick("scrub_responses")}
        label="Blot the vendor key out of answers"
        hint="Some vendors and proxies repeat the key in errors. Without this, who calls can see it there."
      />
      <Checkbox
        {...tick("log_query")}
        label="Record query strings in the audit log"
        hint={
          <strong className="font-medium text-waiting">
            Query strings often hold personal data, search terms and signed links. Everybody who can read the
            audit log reads them, for as long as it is kept.
          </strong>
        }
      />
      <Checkbox
        {...tick("response_cookies")}
        label="Hand the vendor's cookies to callers"
        hint={
          <strong className="font-medium text-waiting">
            A session cookie of the vendor can be as good as its key: a caller who gets one may go round
            RelayKey.
          </strong>
        }
      />
      <Checkbox
        {...tick("allow_encoded_slash")}
        label="Admit encoded slashes (%2F) inside a path segment"
        hint={
          <strong className="font-medium text-bad">
            Dangerous where the vendor decodes %2F before it routes: “/projects/*” would then match paths
            below it. Only for vendors that need it, such as GitLab or npm.
          </strong>
        }
      />
    </div>
  );
}

/** The vendor's own key. It never comes back, not even to the form it was typed into. */
export function VendorKeyField({
  failure,
  label,
  isAgain = false,
  required = true,
  hint = "It is sealed as it arrives. This dashboard can store it and cannot read it back: only the proxy can open it, for this upstream.",
}: {
  readonly failure: ShownFailure | undefined;
  readonly label: string;
  readonly required?: boolean;
  readonly hint?: string;
  /** The form shows again what was typed into it; the key is not part of that. */
  readonly isAgain?: boolean;
}) {
  return (
    <TextField
      name="secret"
      type="password"
      label={label}
      autoComplete="off"
      spellCheck={false}
      required={required}
      hint={isAgain ? `Enter the key again: it was not kept. ${hint}` : hint}
      error={fieldError(failure, "secret")}
    />
  );
}
