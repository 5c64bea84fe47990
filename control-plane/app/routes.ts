import { index, layout, route } from "@remix-run/route-config";
import type { RouteConfig } from "@remix-run/route-config";

export default [
  layout("routes/shell.tsx", [
    index("routes/overview.tsx"),
    route("audit", "routes/audit.tsx"),
    route("audit/:requestId", "routes/audit-event.tsx"),
    route("admin-events", "routes/admin-events.tsx"),
    route("admin-events/:eventId", "routes/admin-event.tsx"),
    route("device", "routes/device.tsx"),
    route("search", "routes/search.tsx"),
    route("start", "routes/start.tsx"),
    route("holders", "routes/holders.tsx"),
    route("holders/new", "routes/holders-new.tsx"),
    route("holders/:holder", "routes/holder.tsx"),
    route("holders/:holder/edit", "routes/holder-edit.tsx"),
    route("integrations", "routes/integrations.tsx"),
    route("integrations/new", "routes/integrations-new.tsx"),
    route("integrations/:slug", "routes/integration.tsx"),
    route("integrations/:slug/edit", "routes/integration-edit.tsx"),
    route("keys", "routes/keys.tsx"),
    route("keys/new", "routes/keys-new.tsx"),
    route("keys/revoke", "routes/keys-revoke.tsx"),
    route("keys/:key", "routes/key.tsx"),
    route("keys/:key/first-request", "routes/key-first-request.ts"),
    route("keys/:key/edit", "routes/key-edit.tsx"),
    route("keys/:key/tighten", "routes/key-tighten.tsx"),
    route("*", "routes/missing.tsx"),
  ]),
  route("sign-in", "routes/sign-in.tsx"),
  route("sign-out", "routes/sign-out.ts"),
  route("docs/block-reasons", "routes/block-reasons.tsx"),
] satisfies RouteConfig;
