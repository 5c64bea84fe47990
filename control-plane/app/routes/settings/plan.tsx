import { redirect } from "@remix-run/cloudflare";
import type { ActionFunctionArgs, LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { Form, useActionData, useLoaderData } from "@remix-run/react";
import { PLANS, PLAN_NAMES } from "@relaykey/core/plans";
import { readForm } from "../../.server/form.ts";
import { enter, refuse, unwrap } from "../../.server/page.ts";
import type { Refusal } from "../../.server/page.ts";
import type { Redirect } from "../../.server/flash.ts";
import { Badge } from "../../components/badge.tsx";
import { SubmitButton } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { FormFailure } from "../../components/form.tsx";
import { Notice } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Table } from "../../components/table.tsx";
import { openPortal, showBilling, startCheckout } from "../../../service/billing/checkout.ts";
import { PAID_PLANS } from "../../../service/billing/stripe-api.ts";
import { invalid } from "../../../service/outcome.ts";
import { showPlan } from "../../../service/plans.ts";

export const meta: MetaFunction = () => [{ title: "Plan · RelayKey" }];

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller, url } = await enter(args, "plan.read");
  const [shown, billing] = await Promise.all([showPlan(deps, caller), showBilling(deps, caller)]);
  const { plan, usage, auditRetentionDays } = unwrap(shown);
  const { isConfigured, isCustomer, isSubscribed } = unwrap(billing);
  const { limits, requestsPerMonth, title } = PLANS[plan];
  return {
    title,
    auditRetentionDays,
    isConfigured,
    isCustomer,
    isSubscribed,
    isBack: url.searchParams.get("billing") === "done",
    mayChange: caller.role === "admin" && caller.token === null,
    offers: PAID_PLANS.map((name) => ({ name, title: PLANS[name].title, price: PLANS[name].price })),
    isOutgrown: usage.requests > requestsPerMonth,
    used: [
      { what: "Keys that are not revoked", used: usage.keys, allowed: limits.keys },
      { what: "Integrations", used: usage.integrations, allowed: limits.integrations },
      { what: "Members and open invitations", used: usage.members, allowed: limits.members },
      { what: "Webhook endpoints", used: usage.webhookEndpoints, allowed: limits.webhookEndpoints },
      { what: "Requests this month", used: usage.requests, allowed: requestsPerMonth },
    ],
    plans: PLAN_NAMES.map((name) => ({
      title: PLANS[name].title,
      price: PLANS[name].price,
      days: PLANS[name].auditRetentionDays,
      keys: PLANS[name].limits.keys,
      integrations: PLANS[name].limits.integrations,
      members: PLANS[name].limits.members,
      isCurrent: name === plan,
    })),
  };
}

/** Sends an admin to a page of Stripe; the plan follows what is paid there. */
export async function action(args: ActionFunctionArgs): Promise<Redirect | Refusal> {
  const { deps, caller } = await enter(args, "plan.read");
  const wanted = (await readForm(args.request)).text("plan");
  const plan = PAID_PLANS.find((name) => name === wanted);
  if (plan === undefined && wanted !== "manage") return refuse(invalid("plan", "Choose a plan.").failure);
  const page = await (plan === undefined ? openPortal(deps, caller) : startCheckout(deps, caller, plan));
  return page.ok ? redirect(page.value, 303) : refuse(page.failure);
}

export default function PlanPage() {
  const { title, auditRetentionDays, used, plans, isOutgrown, isConfigured } = useLoaderData<typeof loader>();
  return (
    <>
      <PageHeader
        title="Plan"
        back={{ to: "/settings", label: "Settings" }}
        note={`${title}: audit events are kept for ${String(auditRetentionDays)} days.${isConfigured ? "" : " The operator of this installation sets the plan."}`}
      />
      {isOutgrown && (
        <Notice tone="waiting" title="More requests than the plan is made for">
          Nothing is cut off. {isConfigured ? "Choose a larger plan." : "Ask the operator for a larger plan."}
        </Notice>
      )}
      {isConfigured && <Billing />}
      <Card title="Used" padded={false}>
        <Table
          caption="What is used of the plan"
          rows={used}
          keyOf={({ what }) => what}
          columns={[
            { heading: "What", cell: ({ what }) => what },
            { heading: "Used", cell: (row) => row.used.toLocaleString("en"), align: "right" },
            { heading: "Allowed", cell: ({ allowed }) => allowed.toLocaleString("en"), align: "right" },
          ]}
        />
      </Card>
      <Card
        title="Plans"
        note="A larger plan keeps events longer, those that are there included, within a day. A smaller one shortens that a week later."
        padded={false}
      >
        <Table
          caption="Plans"
          rows={plans}
          keyOf={(plan) => plan.title}
          columns={[
            {
              heading: "Plan",
              cell: (plan) => (
                <span className="flex flex-wrap gap-2">
                  {plan.title}
                  {plan.isCurrent && <Badge tone="accent">yours</Badge>}
                </span>
              ),
            },
            { heading: "A month", cell: ({ price }) => `$${String(price)}`, align: "right" },
            { heading: "Retention", cell: ({ days }) => `${String(days)} days`, align: "right" },
            { heading: "Keys", cell: ({ keys }) => keys.toLocaleString("en"), align: "right" },
            {
              heading: "Integrations",
              cell: (plan) => plan.integrations.toLocaleString("en"),
              align: "right",
            },
            { heading: "Members", cell: ({ members }) => members.toLocaleString("en"), align: "right" },
          ]}
        />
      </Card>
    </>
  );
}

/** What is paid for, and the way to Stripe. */
function Billing() {
  const { isCustomer, isSubscribed, isBack, mayChange, offers } = useLoaderData<typeof loader>();
  const failure = useActionData<typeof action>()?.failure;
  return (
    <Card
      title="Billing"
      note="Stripe takes the payment; card data never reaches RelayKey. The plan follows what is paid there."
    >
      <div className="flex flex-col gap-4 text-sm">
        <FormFailure failure={failure} />
        {isBack && !isSubscribed && (
          <Notice tone="waiting" title="Waiting for Stripe">
            The plan changes as soon as Stripe confirms the payment. Load this page again in a moment.
          </Notice>
        )}
        {mayChange ? (
          <Form method="post" action="/settings/plan" className="flex flex-wrap gap-3">
            {!isSubscribed &&
              offers.map(({ name, title, price }) => (
                <SubmitButton
                  key={name}
                  name="plan"
                  value={name}
                  variant="secondary"
                  pending="Opening Stripe …"
                >
                  {`${title}, $${String(price)} a month …`}
                </SubmitButton>
              ))}
            {isCustomer && (
              <SubmitButton name="plan" value="manage" variant="secondary" pending="Opening Stripe …">
                {isSubscribed ? "Change or end the subscription …" : "Invoices and cards …"}
              </SubmitButton>
            )}
          </Form>
        ) : (
          <p className="text-muted">Admins can change the plan.</p>
        )}
      </div>
    </Card>
  );
}
