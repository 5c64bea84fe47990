import type { Example } from "./example.ts";
import type { Visitor } from "./visitors.ts";

/** A page of the dashboard, by the name of its screenshots. */
export interface PageUnderTest {
  readonly name: string;
  readonly path: (example: Example) => string;
}

/** A page that is seen before or beside an organization. */
export interface EntryPageUnderTest {
  readonly name: string;
  readonly visitor: Visitor;
  /** Where the visitor is led, if they do not stand there already. */
  readonly path: string;
}

function key(index: number, rest: string) {
  return ({ keys }: Example): string => `/keys/${keys[index]?.id ?? ""}${rest}`;
}

/** Every page that a member sees. New pages are added here: each is looked at, judged by axe, and searched for secrets. */
export const PAGES: readonly PageUnderTest[] = [
  { name: "overview", path: () => "/" },
  { name: "overview-week", path: () => "/?range=7d" },
  { name: "audit", path: () => "/audit" },
  {
    name: "audit-filtered",
    path: ({ keys }) => `/audit?decision=blocked&status=4xx&key=${keys[0]?.id ?? ""}`,
  },
  { name: "audit-empty", path: () => "/audit?path=%2Fnothing&range=1h" },
  { name: "audit-wrong-filter", path: () => "/audit?ip=nonsense&status=9" },
  { name: "audit-event", path: ({ requestId }) => `/audit/${requestId}` },
  { name: "admin-events", path: () => "/admin-events" },
  { name: "device", path: () => "/device?code=BCDF-GHJK" },
  { name: "start", path: () => "/start" },
  { name: "keys", path: () => "/keys" },
  { name: "keys-filtered", path: () => "/keys?state=expiring&q=northwind" },
  { name: "keys-sorted", path: () => "/keys?sort=-last_used" },
  { name: "keys-nothing", path: () => "/keys?q=nothing-like-this" },
  { name: "key-new", path: () => "/keys/new" },
  { name: "key-new-form", path: () => "/keys/new?integration=openai" },
  { name: "key", path: key(0, "") },
  { name: "key-revoke", path: key(0, "?confirm=revoke") },
  { name: "key-reroll", path: key(0, "?confirm=reroll") },
  { name: "key-edit", path: key(1, "/edit") },
  { name: "key-tighten", path: key(2, "/tighten") },
  {
    name: "keys-revoke",
    path: ({ keys }) => `/keys/revoke?key=${keys[0]?.id ?? ""}&key=${keys[1]?.id ?? ""}`,
  },
  { name: "keys-revoke-nothing", path: () => "/keys/revoke" },
  { name: "keys-revoke-all", path: () => "/keys/revoke?all=yes&state=active" },
  { name: "integrations", path: () => "/integrations" },
  { name: "integration-catalogue", path: () => "/integrations/new" },
  { name: "integration-new", path: () => "/integrations/new?from=anthropic" },
  { name: "integration-other", path: () => "/integrations/new?from=other" },
  { name: "integration", path: () => "/integrations/openai" },
  { name: "integration-rotate", path: () => "/integrations/openai?confirm=rotate" },
  { name: "integration-disable", path: () => "/integrations/openai?confirm=disable" },
  { name: "integration-edit", path: () => "/integrations/stripe/edit" },
  { name: "holders", path: () => "/holders" },
  { name: "holder-new", path: () => "/holders/new" },
  { name: "holder", path: ({ holderIds }) => `/holders/${holderIds[2] ?? ""}` },
  { name: "holder-freeze", path: ({ holderIds }) => `/holders/${holderIds[2] ?? ""}?confirm=freeze` },
  { name: "holder-edit", path: ({ holderIds }) => `/holders/${holderIds[2] ?? ""}/edit` },
  { name: "settings", path: () => "/settings" },
  { name: "settings-confirmation", path: () => "/settings/confirmation" },
  { name: "settings-tokens", path: () => "/settings/tokens" },
  { name: "settings-custody", path: () => "/settings/custody" },
  { name: "settings-danger", path: () => "/settings/danger" },
  { name: "settings-danger-confirm", path: () => "/settings/danger?confirm=freeze" },
  { name: "trust", path: () => "/trust" },
  { name: "block-reasons", path: () => "/docs/block-reasons" },
  { name: "search", path: () => "/search?q=a" },
  { name: "notices", path: () => "/notices" },
  { name: "settings-webhooks", path: () => "/settings/webhooks" },
  { name: "settings-webhook", path: ({ webhookId }) => `/settings/webhooks/${webhookId}` },
  { name: "settings-plan", path: () => "/settings/plan" },
  { name: "settings-organization", path: () => "/settings/organization" },
  { name: "settings-organization-delete", path: () => "/settings/organization?confirm=delete" },
  { name: "settings-members", path: () => "/settings/members" },
  { name: "settings-sessions", path: () => "/settings/sessions" },
  { name: "settings-passkeys", path: () => "/settings/passkeys" },
  { name: "admin-event", path: ({ adminEventId }) => `/admin-events/${adminEventId}` },
  { name: "organizations", path: () => "/organizations" },
  { name: "missing", path: () => "/no/such/page" },
];

/** The pages around the sign-in, by who sees them. */
export const ENTRY_PAGES: readonly EntryPageUnderTest[] = [
  { name: "sign-in", visitor: "nobody", path: "/sign-in?return_to=%2Fkeys" },
  { name: "sign-in-check", visitor: "asking", path: "/sign-in/check" },
  { name: "sign-in-link", visitor: "linked", path: "/sign-in/link" },
  { name: "sign-in-link-dead", visitor: "nobody", path: "/sign-in/link?token=nothing" },
  { name: "welcome", visitor: "newcomer", path: "/welcome" },
  { name: "invitation", visitor: "invited", path: "/invitations/" },
  { name: "invitation-dead", visitor: "nobody", path: "/invitations/nothing" },
  { name: "passkey", visitor: "weak", path: "/passkey?return_to=%2Fsettings" },
  { name: "trust-outside", visitor: "nobody", path: "/trust" },
];

/** Routes that answer with data, or lead elsewhere: there is nothing to look at. */
export const NO_PAGES = [
  "routes/audit-export",
  "routes/document",
  "routes/key-first-request",
  "routes/passkey-options",
  "routes/sign-out",
] as const;
