import { Form, Link } from "@remix-run/react";
import { Icon } from "./icon.tsx";
import type { ShellData } from "./shell.tsx";

/** Who is signed in, and what concerns only them. */
export function AccountMenu({ person, id }: { readonly person: ShellData["person"]; readonly id: string }) {
  return (
    <details className="group/account border-t border-line pt-3">
      <summary className="flex min-h-10 cursor-pointer items-center gap-2 rounded-lg px-2.5 text-sm hover:bg-sunken">
        <span className="min-w-0 flex-1">
          <span className="block truncate">{person.email}</span>
          <span className="block text-xs text-muted">{person.role}</span>
        </span>
        <span className="group-open/account:rotate-180">
          <Icon name="chevron" />
        </span>
      </summary>
      <Link
        to="/organizations"
        className="flex min-h-9 items-center gap-2.5 rounded-lg px-2.5 text-sm text-muted hover:bg-sunken hover:text-ink"
      >
        <Icon name="people" /> Switch organization
      </Link>
      <Form method="post" action="/sign-out" id={`${id}-sign-out`}>
        <button className="flex min-h-9 w-full items-center gap-2.5 rounded-lg px-2.5 text-sm text-muted hover:bg-sunken hover:text-ink">
          <Icon name="leave" /> Sign out
        </button>
      </Form>
    </details>
  );
}
