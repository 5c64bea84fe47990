import type { LinksFunction, MetaFunction } from "@remix-run/cloudflare";
import {
  Links,
  Meta,
  Outlet,
  Scripts,
  ScrollRestoration,
  isRouteErrorResponse,
  useRouteError,
} from "@remix-run/react";
import { useContext } from "react";
import type { ReactNode } from "react";
import { NonceContext } from "./components/nonce.ts";
import stylesheet from "./tailwind.css?url";

export const links: LinksFunction = () => [
  { rel: "stylesheet", href: stylesheet },
  { rel: "icon", href: "/favicon.svg", type: "image/svg+xml" },
];

export const meta: MetaFunction = () => [{ title: "RelayKey" }];

export function Layout({ children }: { readonly children: ReactNode }) {
  const nonce = useContext(NonceContext);
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <Meta />
        <Links />
      </head>
      <body className="bg-slate-50 font-sans text-slate-900 antialiased dark:bg-slate-950 dark:text-slate-100">
        {children}
        <ScrollRestoration nonce={nonce} />
        <Scripts nonce={nonce} />
      </body>
    </html>
  );
}

export default function App() {
  return <Outlet />;
}

export function ErrorBoundary() {
  const error = useRouteError();
  const isMissing = isRouteErrorResponse(error) && error.status === 404;
  return (
    <main className="mx-auto max-w-md px-6 py-24">
      <h1 className="text-2xl font-semibold">
        {isMissing ? "There is no such page" : "Something went wrong"}
      </h1>
      <p className="mt-3 text-slate-600 dark:text-slate-400">
        {isMissing
          ? "Check the address, or go back to the overview."
          : "Nothing was changed. Try again; if it stays, look at the control plane's log."}
      </p>
      <a className="mt-6 inline-block font-medium text-indigo-700 underline dark:text-indigo-300" href="/">
        Overview
      </a>
    </main>
  );
}
