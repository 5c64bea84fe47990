/** What an organization may have, and for how long its audit events are kept, by plan: the one table. */
export interface PlanRow {
  readonly title: string;
  /** US dollars a month. */
  readonly price: number;
  readonly auditRetentionDays: number;
  readonly limits: Readonly<Record<PlanResource, number>>;
  /** Not cut off: above it, admins see that they have outgrown the plan. */
  readonly requestsPerMonth: number;
}

/** What a plan counts. */
export type PlanResource = keyof typeof PLAN_RESOURCES;

/** As people read them. */
export const PLAN_RESOURCES = {
  keys: "keys that are not revoked",
  integrations: "integrations",
  members: "members and open invitations",
  webhookEndpoints: "webhook endpoints",
} as const;

/** The smallest first. */
export const PLANS = {
  free: {
    title: "Free",
    price: 0,
    auditRetentionDays: 7,
    limits: { keys: 10, integrations: 3, members: 3, webhookEndpoints: 1 },
    requestsPerMonth: 50_000,
  },
  builder: {
    title: "Builder",
    price: 29,
    auditRetentionDays: 30,
    limits: { keys: 100, integrations: 15, members: 10, webhookEndpoints: 3 },
    requestsPerMonth: 1_000_000,
  },
  team: {
    title: "Team",
    price: 149,
    auditRetentionDays: 90,
    limits: { keys: 1_000, integrations: 100, members: 50, webhookEndpoints: 10 },
    requestsPerMonth: 10_000_000,
  },
  business: {
    title: "Business",
    price: 499,
    auditRetentionDays: 365,
    limits: { keys: 100_000, integrations: 1_000, members: 1_000, webhookEndpoints: 50 },
    requestsPerMonth: 100_000_000,
  },
} as const satisfies Record<string, PlanRow>;

export type Plan = keyof typeof PLANS;
export const PLAN_NAMES = Object.keys(PLANS) as [Plan, ...Plan[]];

export function isPlan(name: string): name is Plan {
  return Object.hasOwn(PLANS, name);
}

/** The smallest plan that allows so many; null when none does. */
export function planFor(resource: PlanResource, count: number): Plan | null {
  return PLAN_NAMES.find((plan) => PLANS[plan].limits[resource] >= count) ?? null;
}
