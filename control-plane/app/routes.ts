import { index, layout, route } from "@remix-run/route-config";
import type { RouteConfig } from "@remix-run/route-config";

export default [
  layout("routes/shell.tsx", [
    index("routes/overview.tsx"),
    route("device", "routes/device.tsx"),
    route("search", "routes/search.tsx"),
    route("*", "routes/missing.tsx"),
  ]),
  route("sign-in", "routes/sign-in.tsx"),
  route("sign-out", "routes/sign-out.ts"),
  route("docs/block-reasons", "routes/block-reasons.tsx"),
] satisfies RouteConfig;
