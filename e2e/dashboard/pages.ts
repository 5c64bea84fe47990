import type { Example } from "./example.ts";

/** A page of the dashboard, by the name of its screenshots. */
export interface PageUnderTest {
  readonly name: string;
  readonly path: (example: Example) => string;
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
  { name: "settings", path: () => "/settings" },
  { name: "settings-confirmation", path: () => "/settings/confirmation" },
  { name: "settings-tokens", path: () => "/settings/tokens" },
  { name: "settings-custody", path: () => "/settings/custody" },
  { name: "settings-danger", path: () => "/settings/danger" },
  { name: "settings-danger-confirm", path: () => "/settings/danger?confirm=freeze" },
  { name: "keys", path: () => "/keys" },
  { name: "key", path: ({ keys }) => `/keys/${keys[0]?.id ?? ""}` },
  { name: "keys-new", path: () => "/keys/new" },
  { name: "trust", path: () => "/trust" },
  { name: "block-reasons", path: () => "/docs/block-reasons" },
  { name: "search", path: () => "/search?q=a" },
  { name: "missing", path: () => "/no/such/page" },
];
