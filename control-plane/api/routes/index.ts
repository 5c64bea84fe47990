import type { Route } from "../route.ts";
import { auditRoutes } from "./audit.ts";
import { custodyRoutes } from "./custody.ts";
import { deviceRoutes } from "./device.ts";
import { holderRoutes } from "./holders.ts";
import { integrationRoutes } from "./integrations.ts";
import { keyLifecycleRoutes } from "./key-lifecycle.ts";
import { keyRoutes } from "./keys.ts";
import { memberRoutes } from "./members.ts";
import { networkRoutes } from "./networks.ts";
import { organizationRoutes } from "./organizations.ts";
import { policyRoutes } from "./policy.ts";
import { noticeRoutes } from "./notices.ts";
import { planRoutes } from "./plan.ts";
import { referenceRoutes } from "./reference.ts";
import { tokenRoutes } from "./tokens.ts";
import { vendorKeyRoutes } from "./vendor-keys.ts";
import { webhookRoutes } from "./webhooks.ts";

/** The table of routes: the app, authorization, the OpenAPI document and the tests are made from it. */
export const ROUTES: readonly Route[] = [
  ...referenceRoutes(() => ROUTES),
  ...deviceRoutes,
  ...organizationRoutes,
  ...memberRoutes,
  ...integrationRoutes,
  ...vendorKeyRoutes,
  ...custodyRoutes,
  ...holderRoutes,
  ...keyRoutes,
  ...keyLifecycleRoutes,
  ...auditRoutes,
  ...networkRoutes,
  ...policyRoutes,
  ...tokenRoutes,
  ...webhookRoutes,
  ...noticeRoutes,
  ...planRoutes,
];
