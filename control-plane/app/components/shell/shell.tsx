import { Link, useLocation, useNavigation } from "@remix-run/react";
import { useEffect, useRef } from "react";
import type { ReactNode } from "react";
import { NowContext } from "../moment.tsx";
import { AccountMenu } from "./account-menu.tsx";
import { Icon } from "./icon.tsx";
import { DESTINATIONS } from "./navigation.ts";
import type { Destination } from "./navigation.ts";
import { Palette } from "./palette.tsx";
import { Shortcuts } from "./shortcuts.tsx";
import { Toast } from "./toast.tsx";
import type { Flash } from "./toast.tsx";

/** What the frame around each page shows. */
export interface ShellData {
  readonly organization: { readonly id: string; readonly name: string; readonly isFrozen: boolean };
  readonly person: { readonly email: string; readonly role: string };
  readonly flash: Flash | null;
  /** Epoch ms. */
  readonly now: number;
}

/** The frame around each page behind the sign-in: a sidebar, or on a phone a bar with a menu that opens without scripts. */
export function Shell({ shell, children }: { readonly shell: ShellData; readonly children: ReactNode }) {
  const { pathname } = useLocation();
  const main = useMainFocus(pathname);
  const isBusy = useNavigation().state !== "idle";
  return (
    <NowContext.Provider value={shell.now}>
      <a
        href="#main"
        className="sr-only z-50 rounded-lg bg-fill px-4 py-2 font-medium text-white focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
      >
        Skip to content
      </a>
      <Progress isBusy={isBusy} />
      <div className="lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
        <header className="flex items-center justify-between gap-3 border-b border-line bg-surface px-4 py-2 lg:hidden">
          <Brand />
          {/* A new page closes the menu: it is another element. */}
          <details key={pathname} className="group">
            <summary className="flex min-h-10 cursor-pointer items-center gap-2 rounded-lg px-3 text-sm font-medium hover:bg-sunken">
              <Icon name="menu" /> Menu
            </summary>
            <div className="absolute inset-x-0 top-14 z-40 border-b border-line bg-surface p-3 shadow-xl">
              <Sidebar shell={shell} id="menu" />
            </div>
          </details>
        </header>
        <aside className="hidden border-r border-line bg-surface lg:block">
          <div className="sticky top-0 flex h-dvh flex-col gap-4 overflow-y-auto p-3">
            <div className="px-2 pt-1.5">
              <Brand />
            </div>
            <Sidebar shell={shell} id="sidebar" />
          </div>
        </aside>
        <div className="min-w-0">
          <main
            id="main"
            ref={main}
            tabIndex={-1}
            aria-busy={isBusy}
            className="mx-auto max-w-6xl px-4 pt-6 pb-20 outline-none sm:px-6 lg:px-8 lg:pt-8"
          >
            {shell.flash !== null && <Toast flash={shell.flash} />}
            {children}
          </main>
        </div>
      </div>
      <Palette mayChange={shell.person.role === "admin"} />
      <Shortcuts />
    </NowContext.Provider>
  );
}

function Brand() {
  return (
    <Link to="/" className="flex items-center gap-2 font-semibold">
      <img src="/favicon.svg" alt="" width="24" height="24" /> RelayKey
    </Link>
  );
}

function Sidebar({ shell, id }: { readonly shell: ShellData; readonly id: string }) {
  return (
    <div className="flex flex-1 flex-col gap-4">
      <div className="flex items-center gap-2 px-2">
        <p className="min-w-0 flex-1 truncate text-sm font-medium" title={shell.organization.name}>
          {shell.organization.name}
        </p>
        {shell.organization.isFrozen && (
          <span className="rounded-full bg-bad-soft px-2 py-0.5 text-xs font-medium text-bad">frozen</span>
        )}
      </div>
      <Link
        to="/search"
        data-palette
        className="flex min-h-9 items-center gap-2 rounded-lg border border-line px-2.5 text-sm text-muted hover:bg-sunken"
      >
        <Icon name="search" /> <span className="flex-1">Search</span>
        <kbd className="hidden font-sans text-xs lg:inline">Ctrl K</kbd>
      </Link>
      <nav aria-label="Main" className="flex flex-col gap-0.5">
        {DESTINATIONS.map((destination) => (
          <Item key={destination.to} {...destination} />
        ))}
      </nav>
      <nav aria-label="More" className="mt-auto flex flex-col gap-0.5">
        <Item to="/trust" label="Trust" icon="shield" />
        <Item to="/docs/block-reasons" label="Block reasons" icon="book" />
      </nav>
      <AccountMenu person={shell.person} id={id} />
    </div>
  );
}

function Item({ to, label, icon }: Destination) {
  const { pathname } = useLocation();
  const isHere = to === "/" ? pathname === "/" : pathname === to || pathname.startsWith(`${to}/`);
  return (
    <Link
      to={to}
      prefetch="intent"
      {...(isHere ? { "aria-current": pathname === to ? ("page" as const) : true } : {})}
      className="flex min-h-9 items-center gap-2.5 rounded-lg px-2.5 text-sm text-muted hover:bg-sunken hover:text-ink aria-[current]:bg-accent-soft aria-[current]:font-medium aria-[current]:text-accent"
    >
      <Icon name={icon} /> {label}
    </Link>
  );
}

/** Says that the next page is on its way, where it takes more than a moment. */
function Progress({ isBusy }: { readonly isBusy: boolean }) {
  return (
    <div
      aria-hidden="true"
      data-progress=""
      className={`fixed inset-x-0 top-0 z-50 h-0.5 origin-left bg-accent transition-transform duration-500 ${isBusy ? "scale-x-75 delay-100" : "scale-x-0 opacity-0"}`}
    />
  );
}

/** After a move to another page, reading and tabbing begin at its content, as they would without scripts. */
function useMainFocus(pathname: string) {
  const main = useRef<HTMLElement>(null);
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}
