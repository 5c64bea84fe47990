import { Outlet } from "@remix-run/react";
import { Tabs } from "../../components/tabs.tsx";

const TABS = [
  { to: "/settings/organization", label: "Organization" },
  { to: "/settings/members", label: "Members" },
  { to: "/settings/sessions", label: "Sessions" },
  { to: "/settings/passkeys", label: "Passkeys" },
];

/** What the settings have in common. */
export default function Settings() {
  return (
    <>
      <Tabs label="Settings" tabs={TABS} />
      <Outlet />
    </>
  );
}
