import { vitePlugin as remix } from "@remix-run/dev";
import tailwindcss from "@tailwindcss/vite";
import { readFileSync } from "node:fs";
import { defineConfig } from "vite";
import type { Plugin } from "vite";

declare module "@remix-run/cloudflare" {
  interface Future {
    v3_singleFetch: true;
  }
}

/** Scalar's script as it was published, so that the API's reference page asks no other host for it. */
function apiReference(): Plugin {
  const script = new URL("./node_modules/@scalar/api-reference/dist/browser/standalone.js", import.meta.url);
  return {
    name: "api-reference",
    generateBundle(_options, bundle) {
      const isServer = Object.keys(bundle).every((name) => !name.startsWith("assets/"));
      if (isServer) return;
      this.emitFile({ type: "asset", fileName: "docs/scalar.js", source: readFileSync(script) });
    },
  };
}

export default defineConfig({
  plugins: [
    apiReference(),
    tailwindcss(),
    remix({
      future: {
        v3_fetcherPersist: true,
        v3_lazyRouteDiscovery: true,
        v3_relativeSplatPath: true,
        v3_routeConfig: true,
        v3_singleFetch: true,
        v3_throwAbortReason: true,
      },
    }),
  ],
  ssr: { resolve: { conditions: ["workerd", "worker", "browser"] } },
  resolve: { mainFields: ["browser", "module", "main"] },
  // A source map would publish the server's sources beside its pages.
  build: { minify: true, sourcemap: false },
});
