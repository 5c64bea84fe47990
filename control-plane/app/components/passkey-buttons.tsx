import { useFetcher } from "@remix-run/react";
import { startAuthentication, startRegistration } from "@simplewebauthn/browser";
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/browser";
import { useState } from "react";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import type { ShownFailure } from "./failure.ts";
import { TextField } from "./field.tsx";
import { FormFailure } from "./form.tsx";
import { useHydrated } from "./hydrated.ts";
import { Notice } from "./notice.tsx";

/** What `/passkey/options` answers. */
interface Options<T> {
  readonly options?: T;
  readonly failure?: ShownFailure;
}

async function ask<T>(purpose: "enroll" | "assert"): Promise<Options<T>> {
  const answer = await fetch("/passkey/options", { method: "POST", body: new URLSearchParams({ purpose }) });
  return answer.json<Options<T>>();
}

/** Makes a passkey in the browser and enrolls it. */
export function EnrollPasskey() {
  const fetcher = useFetcher<{ failure?: ShownFailure }>();
  const [name, setName] = useState("");
  return (
    <Ceremony
      label="Enroll a passkey"
      failure={fetcher.data?.failure}
      run={async () => {
        const { options, failure } = await ask<PublicKeyCredentialCreationOptionsJSON>("enroll");
        if (options === undefined) return failure;
        const response = JSON.stringify(await startRegistration({ optionsJSON: options }));
        fetcher.submit(
          { intent: "enroll", name, response },
          { method: "post", action: "/settings/passkeys" },
        );
        return undefined;
      }}
    >
      <TextField
        label="Name of the new passkey"
        name="new-passkey"
        placeholder="Laptop"
        maxLength={100}
        value={name}
        onChange={(event) => {
          setName(event.currentTarget.value);
        }}
      />
    </Ceremony>
  );
}

/** Shows a passkey, and goes on to where it was asked for. */
export function ShowPasskey({ returnTo }: { readonly returnTo: string }) {
  const fetcher = useFetcher<{ failure?: ShownFailure }>();
  return (
    <Ceremony
      label="Show the passkey"
      failure={fetcher.data?.failure}
      run={async () => {
        const { options, failure } = await ask<PublicKeyCredentialRequestOptionsJSON>("assert");
        if (options === undefined) return failure;
        const response = JSON.stringify(await startAuthentication({ optionsJSON: options }));
        fetcher.submit({ response, return_to: returnTo }, { method: "post", action: "/passkey" });
        return undefined;
      }}
    />
  );
}

/** A passkey is made and shown by the browser, in a dialogue of its own, which only a script can open. */
function Ceremony(props: {
  readonly label: string;
  readonly failure: ShownFailure | undefined;
  readonly run: () => Promise<ShownFailure | undefined>;
  readonly children?: ReactNode;
}) {
  const isHydrated = useHydrated();
  const [state, setState] = useState<"idle" | "open" | "abandoned">("idle");
  const [refused, setRefused] = useState<ShownFailure>();
  const start = async (): Promise<void> => {
    setState("open");
    try {
      setRefused(await props.run());
      setState("idle");
    } catch {
      setState("abandoned");
    }
  };
  if (!isHydrated)
    return <p className="text-sm text-muted">This needs JavaScript: a passkey lives in the browser.</p>;
  return (
    <div className="flex max-w-md flex-col gap-4">
      <FormFailure failure={refused ?? props.failure} />
      {state === "abandoned" && <Notice tone="waiting">The browser gave no passkey. Try again.</Notice>}
      {props.children}
      <div>
        <Button variant="primary" aria-disabled={state === "open"} onClick={() => void start()}>
          {props.label}
        </Button>
      </div>
    </div>
  );
}
