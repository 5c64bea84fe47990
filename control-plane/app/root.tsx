import type { LinksFunction, MetaFunction } from "@remix-run/cloudflare";
import { Links, Meta, Outlet, Scripts, ScrollRestoration, useRouteError } from "@remix-run/react";
import { useContext } from "react";
import type { ReactNode } from "react";
import { NonceContext } from "./components/nonce.ts";
import { OfflineBanner } from "./components/offline-banner.tsx";
import { FailurePage, failureOf } from "./components/states.tsx";
import stylesheet from "./tailwind.css?url";

/** The end of what is seen of a page. */
const END_ID = "end";

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
        {/* Painted when it is whole, not while it arrives: columns of a table would change their widths under the reader's eyes. */}
        <link rel="expect" href={`#${END_ID}`} {...{ blocking: "render" }} />
        <Meta />
        <Links />
      </head>
      <body className="bg-canvas font-sans text-ink antialiased">
        <OfflineBanner />
        {children}
        <div id={END_ID} hidden />
        <ScrollRestoration nonce={nonce} />
        <Scripts nonce={nonce} />
      </body>
    </html>
  );
}

export default function App() {
  return <Outlet />;
}

/** Pages outside the frame, and the frame itself. */
export function ErrorBoundary() {
  const error = useRouteError();
  return (
    <main className="mx-auto max-w-md px-6 py-24">
      <FailurePage failure={failureOf(error)} />
    </main>
  );
}
