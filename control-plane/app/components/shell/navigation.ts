import type { IconName } from "./icon.tsx";

export interface Destination {
  readonly to: string;
  readonly label: string;
  readonly icon: IconName;
}

/** Where one can go, in the order of the sidebar. */
export const DESTINATIONS: readonly Destination[] = [
  { to: "/", label: "Overview", icon: "overview" },
  { to: "/keys", label: "Keys", icon: "key" },
  { to: "/integrations", label: "Integrations", icon: "plug" },
  { to: "/holders", label: "Holders", icon: "people" },
  { to: "/audit", label: "Audit log", icon: "list" },
  { to: "/notices", label: "Notices", icon: "bell" },
  { to: "/admin-events", label: "Admin events", icon: "history" },
  { to: "/settings", label: "Settings", icon: "settings" },
];
