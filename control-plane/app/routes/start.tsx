import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { useLoaderData } from "@remix-run/react";
import type { ReactNode } from "react";
import { showFirstSteps } from "../../service/inventory.ts";
import { may } from "../.server/keys.ts";
import { enter, unwrap } from "../.server/page.ts";
import { LinkButton } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { PageHeader } from "../components/page-header.tsx";
import { useRepeatedLook } from "../components/repeated-look.ts";

export const meta: MetaFunction = () => [{ title: "First steps · RelayKey" }];

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller } = await enter(args, "audit.read");
  const { domain, integration, isTested, key, request } = unwrap(await showFirstSteps(deps, caller));
  return {
    domain,
    integration: integration?.slug ?? null,
    isTested,
    key: key === null ? null : { id: key.id, name: key.name },
    hasRequest: request !== null,
    requestKey: request?.keyId ?? null,
    canChange: may(caller, "integration.change"),
  };
}

export default function Start() {
  const steps = useLoaderData<typeof loader>();
  const { domain, integration, isTested, key, hasRequest, requestKey, canChange } = steps;
  const isDone = integration !== null && isTested && key !== null && hasRequest;
  useRepeatedLook(!isDone);
  const next =
    integration === null
      ? "integration"
      : !isTested && !hasRequest
        ? "test"
        : key === null
          ? "key"
          : "request";
  const action = (step: string, to: string, label: string): ReactNode =>
    canChange && (
      <LinkButton to={to} variant={step === next ? "primary" : "secondary"} size="sm">
        {label}
      </LinkButton>
    );
  return (
    <>
      <PageHeader
        title="First steps"
        note="From an empty organization to the first request, in about two minutes. Each step ticks itself."
      />
      {isDone && (
        <div className="mb-6">
          <Notice
            tone="good"
            title="All done"
            aside={
              <LinkButton to="/" size="sm">
                To the overview
              </LinkButton>
            }
          >
            Requests pass, each is in the audit log, and every key can be ended by itself.
          </Notice>
        </div>
      )}
      <ol className="flex max-w-3xl flex-col divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface">
        <Step
          isDone={domain !== null}
          title="Claim your domain"
          note={
            domain === null
              ? "Optional. People who sign up with an address of your company then need your invitation."
              : `${domain} belongs to this organization.`
          }
          action={domain === null && action("domain", "/settings/organization", "Claim it")}
        />
        <Step
          isDone={integration !== null}
          title="Store a vendor's key"
          note="From the catalogue, or any https API. It is sealed; nobody can read it back here."
          action={
            integration === null &&
            action("integration", "/integrations/new?then=start", "Add an integration")
          }
        />
        <Step
          isDone={isTested}
          title="Test the key"
          note="One harmless request to the vendor shows whether it is accepted."
          action={
            !isTested && integration !== null && action("test", `/integrations/${integration}`, "Test it")
          }
        />
        <Step
          isDone={key !== null}
          title="Make the first key"
          note="For one holder and one integration, with no more than the job needs."
          action={
            key === null &&
            integration !== null &&
            action("key", `/keys/new?integration=${integration}&then=start`, "Make a key")
          }
        />
        <Step
          isDone={hasRequest}
          title="See its first request"
          note={
            hasRequest
              ? "It is in the audit log."
              : key === null
                ? "Shown here as it arrives."
                : "Call through the proxy with the new key: this page notices it by itself."
          }
          action={
            hasRequest
              ? requestKey !== null && action("request", `/keys/${requestKey}`, "Look at it")
              : key !== null && action("request", `/keys/${key.id}`, "Open the key")
          }
        />
      </ol>
    </>
  );
}

function Step(props: {
  readonly isDone: boolean;
  readonly title: string;
  readonly note: string;
  readonly action: ReactNode;
}) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-3 p-4 sm:flex-nowrap sm:p-5">
      <span
        aria-hidden="true"
        className={`grid size-7 shrink-0 place-items-center rounded-full border text-sm font-semibold ${props.isDone ? "border-transparent bg-good-soft text-good" : "border-edge text-transparent"}`}
      >
        ✓
      </span>
      <span className="min-w-0 flex-1">
        <span className="block font-medium">
          {props.title}
          <span className="sr-only">{props.isDone ? " (done)" : " (to do)"}</span>
        </span>
        <span className="block text-sm text-muted">{props.note}</span>
      </span>
      {props.action}
    </li>
  );
}
