import { NavLink } from "@remix-run/react";

/** Parts of one subject, each with an address of its own. */
export function Tabs(props: {
  readonly label: string;
  readonly tabs: readonly { readonly to: string; readonly label: string }[];
}) {
  return (
    <nav aria-label={props.label} className="mb-6 overflow-x-auto border-b border-line">
      <ul className="flex gap-1">
        {props.tabs.map(({ to, label }) => (
          <li key={to}>
            <NavLink
              to={to}
              end
              className="block border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-muted hover:text-ink aria-[current=page]:border-accent aria-[current=page]:text-ink"
            >
              {label}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}
