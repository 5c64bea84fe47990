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
    route("settings", "routes/settings/index.tsx"),
    route("settings/confirmation", "routes/settings/confirmation.tsx"),
    route("settings/tokens", "routes/settings/tokens.tsx"),
    route("settings/custody", "routes/settings/custody.tsx"),
    route("settings/danger", "routes/settings/danger.tsx"),
    route("search", "routes/search.tsx"),
    route("keys", "routes/keys.tsx"),
    route("keys/new", "routes/keys-new.tsx"),
    route("keys/revoke", "routes/keys-revoke.tsx"),
    route("keys/:key", "routes/key.tsx"),
    route("keys/:key/edit", "routes/key-edit.tsx"),
    route("keys/:key/tighten", "routes/key-tighten.tsx"),
    route("*", "routes/missing.tsx"),
  ]),
  route("sign-in", "routes/sign-in.tsx"),
  route("sign-out", "routes/sign-out.ts"),
  route("trust", "routes/trust.tsx"),
  route("docs/*", "routes/document.ts"),
  route("docs/block-reasons", "routes/block-reasons.tsx"),
] satisfies RouteConfig;
