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
    route("keys", "routes/keys.tsx"),
    route("keys/new", "routes/keys-new.tsx"),
    route("keys/revoke", "routes/keys-revoke.tsx"),
    route("keys/:key", "routes/key.tsx"),
    route("keys/:key/edit", "routes/key-edit.tsx"),
    route("keys/:key/tighten", "routes/key-tighten.tsx"),
    route("notices", "routes/notices.tsx"),
    route("settings/webhooks", "routes/settings/webhooks.tsx"),
    route("settings/webhooks/:webhook", "routes/settings/webhook.tsx"),
    route("settings/plan", "routes/settings/plan.tsx"),
    route("*", "routes/missing.tsx"),
  ]),
  route("sign-in", "routes/sign-in/ask.tsx"),
  route("sign-in/check", "routes/sign-in/check.tsx"),
  route("sign-in/link", "routes/sign-in/link.tsx"),
  route("sign-out", "routes/sign-out.ts"),
  route("welcome", "routes/welcome.tsx"),
  route("organizations", "routes/organizations.tsx"),
  route("invitations/:token", "routes/invitation.tsx"),
  route("docs/block-reasons", "routes/block-reasons.tsx"),
] satisfies RouteConfig;
