/** What can be set, in the order of the settings' first page. */
export const SECTIONS: readonly { readonly to: string; readonly label: string; readonly note: string }[] = [
  {
    to: "/settings/organization",
    label: "Organization",
    note: "Its name, the domains it holds, and its deletion.",
  },
  {
    to: "/settings/members",
    label: "Members",
    note: "Who sees and who changes the organization; invitations; leaving.",
  },
  {
    to: "/settings/confirmation",
    label: "New addresses",
    note: "How people's keys come to be usable from a new address.",
  },
  {
    to: "/settings/tokens",
    label: "Management tokens",
    note: "What scripts, Terraform and the CLI call the management API with.",
  },
  {
    to: "/settings/webhooks",
    label: "Webhooks",
    note: "Where you are told what happens to keys, holders and integrations.",
  },
  {
    to: "/settings/custody",
    label: "Custody",
    note: "How vendor keys are sealed, and which version of each is in force.",
  },
  {
    to: "/settings/plan",
    label: "Plan",
    note: "What the plan includes, and how long the audit log is kept.",
  },
  {
    to: "/settings/danger",
    label: "Emergency stop",
    note: "Refuse every key of the organization at once.",
  },
  {
    to: "/settings/sessions",
    label: "Your sessions",
    note: "Browsers that are signed in as you, and signing out everywhere.",
  },
  {
    to: "/settings/passkeys",
    label: "Your passkeys",
    note: "An optional second factor, asked for before dangerous actions.",
  },
];
