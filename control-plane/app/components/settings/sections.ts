/** What can be set, in the order of the settings' first page. */
export const SECTIONS: readonly { readonly to: string; readonly label: string; readonly note: string }[] = [
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
    to: "/settings/custody",
    label: "Custody",
    note: "How vendor keys are sealed, and which version of each is in force.",
  },
  {
    to: "/settings/danger",
    label: "Emergency stop",
    note: "Refuse every key of the organization at once.",
  },
];
