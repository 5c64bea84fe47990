import { raw } from "hono/html";
import type { FC, PropsWithChildren } from "hono/jsx";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

interface LayoutProps {
  readonly title: string;
  /** Admits this answer's own style and script (CSP Level 3, nonce-source). */
  readonly nonce: string;
  /** The page that the others lead to. */
  readonly isHelp?: boolean;
}

/** In the page itself: looking at a page is one request. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#4f46e5"/><circle cx="12" cy="16" r="5" fill="none" stroke="#fff" stroke-width="3"/><path d="M17 16h9m-3 0v5" stroke="#fff" stroke-width="3" fill="none" stroke-linecap="round"/></svg>',
)}`;

export const Layout: FC<PropsWithChildren<LayoutProps>> = ({ title, nonce, isHelp, children }) => (
  <>
    {raw("<!doctype html>")}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex, nofollow, noarchive" />
        <title>{title} · RelayKey</title>
        <link rel="icon" href={ICON} />
        <style nonce={nonce}>{raw(STYLE)}</style>
      </head>
      <body>
        <main>
          <p class="brand">RelayKey</p>
          {children}
          {isHelp ? null : (
            <footer>
              <p>
                <a href="/help">What this is, and what to do</a> ·{" "}
                <a href="/networks">Where your keys work</a>
              </p>
            </footer>
          )}
        </main>
        <script nonce={nonce}>{raw(SCRIPT)}</script>
      </body>
    </html>
  </>
);
