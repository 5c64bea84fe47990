import { Form } from "@remix-run/react";
import { LinkButton, SubmitButton } from "../button.tsx";
import { Card } from "../card.tsx";
import { ConfirmDialog } from "../confirm-dialog.tsx";
import { fieldError } from "../failure.ts";
import type { ShownFailure } from "../failure.ts";
import { TextArea, TextField } from "../field.tsx";
import { FormActions, FormFailure } from "../form.tsx";

/** A customer's own key: what it means in plain words, and the form that sets or replaces it. */
export function CustomerKeyForm(props: {
  readonly isSet: boolean;
  readonly removeAt: string;
  readonly failure: ShownFailure | undefined;
}) {
  const { isSet, removeAt, failure } = props;
  return (
    <Card
      title={isSet ? "Replace your key" : "A key of your own"}
      note="An RSA key in your AWS KMS, for ENCRYPT_DECRYPT. RelayKey gets its public half, and the right to ask it to decrypt."
    >
      <Form method="post" action="/settings/custody" className="flex flex-col gap-6">
        <FormFailure failure={failure} />
        <ul className="flex list-disc flex-col gap-1 pl-5 text-sm">
          <li>
            If you disable the key, or take back the grant, every RelayKey of yours stops within 2 seconds.
          </li>
          <li>If you delete it, the vendor keys sealed under it are lost: store them again.</li>
          <li>While AWS KMS does not answer, requests are refused: nothing is sent without your key.</li>
          <li>Your key alone opens nothing either: it takes the proxy&apos;s own as well.</li>
        </ul>
        <TextField
          name="arn"
          label="ARN of the key"
          hint="By its id, such as arn:aws:kms:eu-central-1:111122223333:key/1234abcd-…; no alias."
          required
          maxLength={200}
          error={fieldError(failure, "customer_key.arn")}
        />
        <TextArea
          mono
          name="public_key"
          label="Public key"
          hint="PEM, or what this prints: aws kms get-public-key --key-id … --query PublicKey --output text"
          required
          maxLength={4_096}
          error={fieldError(failure, "customer_key.public_key")}
        />
        <FormActions>
          <SubmitButton pending="Asking the proxy to prove it …">
            {isSet ? "Prove and replace" : "Prove and use this key"}
          </SubmitButton>
          {isSet && (
            <LinkButton to={removeAt} variant="quiet" preventScrollReset>
              Remove your key …
            </LinkButton>
          )}
        </FormActions>
      </Form>
    </Card>
  );
}

export function RemoveCustomerKey(props: {
  readonly closeTo: string;
  readonly failure: ShownFailure | undefined;
}) {
  return (
    <ConfirmDialog
      title="Stop using your own key?"
      confirm="Remove the key"
      pending="Rewrapping …"
      intent="remove"
      closeTo={props.closeTo}
      failure={props.failure}
    >
      <p>
        All vendor keys are rewrapped for the proxy&apos;s own key. After that you can no longer stop their
        use from your KMS.
      </p>
      <p>Keep your key enabled until all of them are rewrapped: this page says when.</p>
    </ConfirmDialog>
  );
}
