import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/cloudflare";
import { useLoaderData } from "@remix-run/react";
import { PLANS, PLAN_NAMES } from "@relaykey/core/plans";
import { enter, unwrap } from "../../.server/page.ts";
import { Badge } from "../../components/badge.tsx";
import { Card } from "../../components/card.tsx";
import { Notice } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Table } from "../../components/table.tsx";
import { showPlan } from "../../../service/plans.ts";

export const meta: MetaFunction = () => [{ title: "Plan · RelayKey" }];

export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller } = await enter(args, "plan.read");
  const { plan, usage, auditRetentionDays } = unwrap(await showPlan(deps, caller));
  const { limits, requestsPerMonth, title } = PLANS[plan];
  return {
    title,
    auditRetentionDays,
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

export default function PlanPage() {
  const { title, auditRetentionDays, used, plans, isOutgrown } = useLoaderData<typeof loader>();
  return (
    <>
      <PageHeader
        title="Plan"
        note={`${title}: audit events are kept for ${String(auditRetentionDays)} days. The operator of this installation sets the plan.`}
      />
      {isOutgrown && (
        <Notice tone="waiting" title="More requests than the plan is made for">
          Nothing is cut off. Ask the operator for a larger plan.
        </Notice>
      )}
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
