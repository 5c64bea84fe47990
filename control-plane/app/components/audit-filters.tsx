import { BLOCK_REASONS } from "@relaykey/core/block-reasons";
import { Form, Link, useSearchParams } from "@remix-run/react";
import type { AuditLog } from "../.server/audit-log.ts";
import { LinkButton, SubmitButton } from "./button.tsx";
import { SelectField, TextField } from "./field.tsx";

const RANGES = [
  { value: "1h", label: "1 hour" },
  { value: "24h", label: "24 hours" },
  { value: "7d", label: "7 days" },
  { value: "30d", label: "30 days" },
] as const;

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const ANY = { value: "", label: "Any" };
const NAMES = [
  "key",
  "holder",
  "integration",
  "decision",
  "reason",
  "method",
  "path",
  "ip",
  "status",
  "request",
];
const REASONS = Object.entries(BLOCK_REASONS).map(([value, { title }]) => ({
  value,
  label: `${title} (${value})`,
}));

/** The time that is looked at, as links that keep the other filters. */
export function RangeLinks({ fallback }: { readonly fallback: string }) {
  const [search] = useSearchParams();
  const isOwn = search.has("from") || search.has("to");
  const chosen = isOwn ? null : (search.get("range") ?? fallback);
  return (
    <nav aria-label="Time" className="flex rounded-lg border border-line bg-surface p-0.5">
      {RANGES.map(({ value, label }) => {
        const query = new URLSearchParams(search);
        for (const name of ["from", "to", "cursor"]) query.delete(name);
        query.set("range", value);
        return (
          <Link
            key={value}
            to={`?${query.toString()}`}
            {...(chosen === value ? { "aria-current": true } : {})}
            className="rounded-md px-2.5 py-1 text-sm whitespace-nowrap text-muted hover:text-ink aria-[current]:bg-accent-soft aria-[current]:font-medium aria-[current]:text-accent"
          >
            {label}
          </Link>
        );
      })}
    </nav>
  );
}

/** The filters of the audit log: a form whose answers are in the address. */
export function AuditFilters({ choices, errors }: Pick<AuditLog, "choices" | "errors">) {
  const [search] = useSearchParams();
  const set = NAMES.filter((name) => search.get(name) !== null && search.get(name) !== "");
  const value = (name: string) => search.get(name) ?? "";
  const wrong = (name: string) => errors.find(({ field }) => field === name)?.message;
  const select = (name: string, label: string, options: readonly { value: string; label: string }[]) => {
    const known = value(name) === "" || options.some((option) => option.value === value(name));
    return (
      <SelectField
        name={name}
        label={label}
        defaultValue={value(name)}
        choices={[ANY, ...(known ? [] : [{ value: value(name), label: value(name) }]), ...options]}
        error={wrong(name)}
      />
    );
  };
  return (
    <details
      open={set.length > 0 || errors.length > 0}
      className="group rounded-xl border border-line bg-surface"
    >
      <summary className="flex min-h-11 cursor-pointer items-center gap-2 rounded-xl px-4 text-sm font-medium">
        <span aria-hidden="true" className="text-muted group-open:rotate-90">
          ›
        </span>
        Filters
        {set.length > 0 && <span className="text-muted">{set.length} set</span>}
      </summary>
      {/* Another address is another form: its fields begin with what that address says. */}
      <Form key={search.toString()} className="border-t border-line p-4">
        <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-4">
          {select("decision", "Decision", [
            { value: "allowed", label: "Allowed" },
            { value: "blocked", label: "Blocked" },
          ])}
          {select("reason", "Reason", REASONS)}
          {select("key", "Key", choices.keys)}
          {select("holder", "Holder", choices.holders)}
          {select("integration", "Integration", choices.integrations)}
          {select(
            "method",
            "Method",
            METHODS.map((method) => ({ value: method, label: method })),
          )}
          <TextField
            name="path"
            label="Path contains"
            defaultValue={value("path")}
            maxLength={200}
            error={wrong("path")}
          />
          <TextField
            name="ip"
            label="IP address"
            defaultValue={value("ip")}
            maxLength={60}
            error={wrong("ip")}
          />
          <TextField
            name="status"
            label="Status (403, 4xx)"
            defaultValue={value("status")}
            maxLength={3}
            error={wrong("status")}
          />
          <TextField
            name="request"
            label="Request id"
            defaultValue={value("request")}
            maxLength={36}
            error={wrong("request")}
          />
          <TextField
            type="datetime-local"
            name="from"
            label="From (UTC)"
            defaultValue={value("from").slice(0, 16)}
            error={wrong("from")}
          />
          <TextField
            type="datetime-local"
            name="to"
            label="To (UTC)"
            defaultValue={value("to").slice(0, 16)}
            error={wrong("to")}
          />
        </div>
        <input type="hidden" name="range" value={value("range")} />
        <div className="mt-4 flex flex-wrap gap-3">
          <SubmitButton variant="secondary">Apply</SubmitButton>
          <LinkButton to="?" variant="quiet">
            Clear
          </LinkButton>
        </div>
      </Form>
    </details>
  );
}
