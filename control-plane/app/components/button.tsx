import { Link, useNavigation } from "@remix-run/react";
import type { ComponentProps, ReactNode } from "react";
import { useOnline } from "./online.ts";

const VARIANTS = {
  primary: "border-transparent bg-fill text-white hover:bg-fill-hover",
  secondary: "border-line bg-surface text-ink hover:bg-sunken",
  danger: "border-transparent bg-danger text-white hover:bg-danger-hover",
  /** Leads to a dangerous action, which is asked about first. */
  warning: "border-line bg-surface text-bad hover:border-bad/40 hover:bg-bad-soft",
  quiet: "border-transparent bg-transparent text-ink hover:bg-sunken",
} as const;

const SIZES = { md: "min-h-9 px-3.5 py-1.5", sm: "min-h-8 px-2.5 py-1" } as const;

interface Look {
  readonly variant?: keyof typeof VARIANTS | undefined;
  readonly size?: keyof typeof SIZES | undefined;
}

function look({ variant = "secondary", size = "md" }: Look): string {
  return `inline-flex items-center justify-center gap-2 rounded-lg border text-sm font-medium whitespace-nowrap transition-colors aria-disabled:cursor-progress aria-disabled:opacity-70 ${SIZES[size]} ${VARIANTS[variant]}`;
}

/** Does something. Goes somewhere: `LinkButton`. Sends a form: `SubmitButton`. */
export function Button({ variant, size, className = "", ...rest }: Look & ComponentProps<"button">) {
  return <button type="button" {...rest} className={`${look({ variant, size })} ${className}`} />;
}

export function LinkButton({ variant, size, className = "", ...rest }: Look & ComponentProps<typeof Link>) {
  return <Link {...rest} className={`${look({ variant, size })} ${className}`} />;
}

/**
 * Sends its form, and says that it is under way. Of several in one form each has its own `name="intent"` value: the one
 * that was pressed waits.
 */
export function SubmitButton({
  variant = "primary",
  size,
  className = "",
  pending,
  children,
  ...rest
}: Look & Omit<ComponentProps<"button">, "type"> & { readonly pending?: ReactNode }) {
  const { formData } = useNavigation();
  // Sent without a connection, a form would be lost with what is in it: the banner says why nothing happens.
  const isOffline = !useOnline();
  const isMine =
    formData !== undefined && (rest.name === undefined || formData.get(rest.name) === rest.value);
  return (
    <button
      {...rest}
      type="submit"
      aria-disabled={isMine || isOffline}
      onClick={(event) => {
        if (isMine || isOffline) event.preventDefault();
        rest.onClick?.(event);
      }}
      className={`${look({ variant, size })} ${className}`}
    >
      {isMine && pending !== undefined ? pending : children}
    </button>
  );
}
