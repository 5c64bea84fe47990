import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { isId } from "@relaykey/core/ids";
import {
  finishEnrollment,
  listOwnPasskeys,
  relyingParty,
  removePasskey,
  renamePasskey,
} from "../../../service/account/passkeys.ts";
import { fail } from "../../../service/outcome.ts";
import { redirectWith } from "../../.server/flash.ts";
import { readForm } from "../../.server/form.ts";
import { refuse } from "../../.server/page.ts";
import { requirePerson } from "../../.server/session.ts";
import { SubmitButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { TextField } from "../../components/field.tsx";
import { FormFailure } from "../../components/form.tsx";
import { Ago } from "../../components/moment.tsx";
import { Notice } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { EnrollPasskey } from "../../components/passkey-buttons.tsx";

export const meta: MetaFunction = () => [{ title: "Passkeys · RelayKey" }];

const HERE = "/settings/passkeys";

export async function loader({ request, context: { deps } }: LoaderFunctionArgs) {
  const person = await requirePerson(request, deps);
  const { origin } = relyingParty(deps);
  return {
    isStrong: person.isStrong,
    // A passkey belongs to a host name: at another one, such as an address, it can be neither made nor shown.
    elsewhere: new URL(request.url).origin === origin ? null : `${origin}${HERE}`,
    passkeys: (await listOwnPasskeys(deps, person)).map(({ id, name, createdAt, lastUsedAt, backedUp }) => ({
      id,
      name,
      backedUp,
      since: createdAt.toISOString(),
      lastUsedAt: lastUsedAt?.toISOString() ?? null,
    })),
  };
}

export async function action({ request, context: { deps } }: ActionFunctionArgs) {
  const person = await requirePerson(request, deps);
  const form = await readForm(request);
  const intent = form.text("intent");
  if (intent === "enroll") {
    const input = { name: form.text("name"), response: parse(form.raw("response")) };
    const enrolled = await finishEnrollment(deps, person, input);
    return enrolled.ok ? done("The passkey is enrolled.") : refuse(enrolled.failure);
  }
  const id = form.text("id");
  if (!isId(id)) return refuse(fail("not_found").failure);
  const changed =
    intent === "remove"
      ? await removePasskey(deps, person, id)
      : await renamePasskey(deps, person, { id, name: form.text("name") });
  if (!changed.ok) return refuse(changed.failure);
  return done(intent === "remove" ? "The passkey is removed." : "The passkey has its new name.");

  function done(text: string) {
    return redirectWith(deps, HERE, { tone: "good", text });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export default function Passkeys() {
  const { passkeys, elsewhere } = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  return (
    <>
      <PageHeader
        title="Passkeys"
        back={{ to: "/settings", label: "Settings" }}
        note="Optional. With a passkey, dangerous actions (changing roles, rotating vendor keys, making tokens, deleting the organization) ask for it: who steals a session or reads your mail cannot do them."
      />
      <FormFailure failure={failure} />
      <Card
        title="Yours"
        padded={passkeys.length === 0}
        empty={passkeys.length === 0 ? "None is enrolled. Enroll one below." : null}
      >
        <ul className="divide-y divide-line">
          {passkeys.map(({ id, name, since, lastUsedAt, backedUp }) => (
            <li key={id} className="p-4 sm:px-6">
              <Form method="post" className="flex flex-wrap items-end justify-between gap-4">
                <input type="hidden" name="id" value={id} />
                <div className="min-w-0 flex-1 basis-60">
                  <TextField
                    label="Name"
                    name="name"
                    id={`name-${id}`}
                    defaultValue={name}
                    required
                    maxLength={100}
                    hint={
                      <>
                        Enrolled <Ago iso={since} />,{" "}
                        {lastUsedAt === null ? (
                          "not shown since"
                        ) : (
                          <>
                            shown <Ago iso={lastUsedAt} />
                          </>
                        )}
                        {backedUp ? ", synchronised between devices" : ", on one device"}
                      </>
                    }
                  />
                </div>
                <div className="flex gap-2">
                  <SubmitButton
                    variant="secondary"
                    size="sm"
                    name="intent"
                    value="rename"
                    pending="Renaming …"
                  >
                    Rename
                  </SubmitButton>
                  <SubmitButton variant="danger" size="sm" name="intent" value="remove" pending="Removing …">
                    Remove
                  </SubmitButton>
                </div>
              </Form>
            </li>
          ))}
        </ul>
      </Card>
      <Card title="Enroll a passkey" note="In this device, a phone or a security key.">
        {elsewhere === null ? (
          <EnrollPasskey />
        ) : (
          <Notice tone="info">
            Passkeys belong to a host name. Sign in at{" "}
            <a className="underline" href={elsewhere}>
              {elsewhere}
            </a>{" "}
            to enroll one.
          </Notice>
        )}
      </Card>
    </>
  );
}
