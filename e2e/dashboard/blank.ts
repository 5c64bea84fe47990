import { newId } from "@relaykey/core/ids";
import type { Example } from "./example.ts";

/** What a page shows while there is nothing to show. */
export type Blank =
  /** A list of an organization that has just begun: it says what that means, or what to do next. */
  | { readonly path: string; readonly says: string }
  /** Of one thing: where there is no such thing, or another organization's. */
  | { readonly missing: (foreign: Example) => readonly string[] }
  /** There is always something. */
  | { readonly never: string };

const ABSENT = newId();

/** By route: a new page has to say which it is. */
export const BLANKS: Readonly<Record<string, Blank>> = {
  "routes/overview": { path: "/", says: "Put a vendor's key behind the proxy" },
  "routes/start": { path: "/start", says: "Add an integration" },
  "routes/audit": { path: "/audit", says: "a new request shows here within seconds" },
  "routes/admin-events": {
    path: "/admin-events?subject=webhook_delivery",
    says: "Clear the filters to see all",
  },
  "routes/notices": { path: "/notices", says: "What admins should know shows here" },
  "routes/search": { path: "/search?q=nothing-like-this", says: "Nothing has that name" },
  "routes/keys": { path: "/keys", says: "A key is made for one holder and one integration" },
  "routes/keys-new": { path: "/keys/new", says: "Add an integration first" },
  "routes/keys-revoke": { path: "/keys/revoke", says: "No key is selected" },
  "routes/holders": { path: "/holders", says: "A holder is who a key is given to" },
  "routes/integrations": { path: "/integrations", says: "Store a vendor's key once" },
  "routes/settings/tokens": { path: "/settings/tokens", says: "Programs that manage keys use one" },
  "routes/settings/webhooks": { path: "/settings/webhooks", says: "One hears of frozen keys" },
  "routes/settings/custody": { path: "/settings/custody", says: "Each integration that is added seals one" },
  "routes/settings/organization": { path: "/settings/organization", says: "It holds no domain" },
  "routes/settings/members": { path: "/settings/members", says: "Nobody is invited at the moment" },
  "routes/settings/passkeys": { path: "/settings/passkeys", says: "Enroll one below" },
  "routes/audit-event": { missing: ({ requestId }) => [ABSENT, requestId].map((id) => `/audit/${id}`) },
  "routes/admin-event": {
    missing: ({ adminEventId }) => [ABSENT, adminEventId].map((id) => `/admin-events/${id}`),
  },
  "routes/key": { missing: ofKey("") },
  "routes/key-edit": { missing: ofKey("/edit") },
  "routes/key-tighten": { missing: ofKey("/tighten") },
  "routes/keys-revoked": { missing: () => [`/keys/revoked/${ABSENT}`] },
  "routes/holder": { missing: ofHolder("") },
  "routes/holder-edit": { missing: ofHolder("/edit") },
  "routes/integration": { missing: () => ["/integrations/openai", `/integrations/${ABSENT}`] },
  "routes/integration-edit": { missing: () => ["/integrations/openai/edit", `/integrations/${ABSENT}/edit`] },
  "routes/settings/webhook": {
    missing: ({ webhookId }) => [ABSENT, webhookId].map((id) => `/settings/webhooks/${id}`),
  },
  "routes/settings/index": { never: "the list of settings" },
  "routes/settings/confirmation": { never: "a form" },
  "routes/settings/danger": { never: "a form" },
  "routes/settings/plan": { never: "an organization has a plan" },
  "routes/settings/sessions": { never: "whoever looks has a session" },
  "routes/device": { never: "a form" },
  "routes/holders-new": { never: "a form" },
  "routes/integrations-new": { never: "the catalogue" },
  "routes/missing": { never: "says that there is no such page" },
  "routes/organizations": { never: "whoever looks is in one" },
  "routes/trust": { never: "what is true of all installations" },
  "routes/block-reasons": { never: "a table" },
};

function ofKey(rest: string) {
  return ({ keys }: Example): string[] =>
    [ABSENT, "nonsense", keys[0]?.id ?? ""].map((id) => `/keys/${id}${rest}`);
}

function ofHolder(rest: string) {
  return ({ holderIds }: Example): string[] =>
    [ABSENT, "nonsense", holderIds[0] ?? ""].map((id) => `/holders/${id}${rest}`);
}
