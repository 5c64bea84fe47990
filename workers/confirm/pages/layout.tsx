import { raw } from "hono/html";
import type { FC, PropsWithChildren } from "hono/jsx";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

interface LayoutProps {
  readonly title: string;
  /** Admits this answer's own style and script (CSP Level 3, nonce-source). */
  readonly nonce: string;
}

/** Blank: a browser asks for no icon then. */
const NO_ICON = "data:,";

export const Layout: FC<PropsWithChildren<LayoutProps>> = ({ title, nonce, children }) => (
  <>
    {raw("<!doctype html>")}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex, nofollow, noarchive" />
        <title>{title} · RelayKey</title>
        <link rel="icon" href={NO_ICON} />
        <style nonce={nonce}>{raw(STYLE)}</style>
      </head>
      <body>
        <main>
          <p class="brand">RelayKey</p>
          {children}
          <footer>
            <p>
              <a href="/help">What this is, and what to do</a>
            </p>
          </footer>
        </main>
        <script nonce={nonce}>{raw(SCRIPT)}</script>
      </body>
    </html>
  </>
);
