import { index, route } from "@remix-run/route-config";
import type { RouteConfig } from "@remix-run/route-config";

export default [
  index("routes/overview.tsx"),
  route("sign-in", "routes/sign-in.tsx"),
  route("sign-out", "routes/sign-out.ts"),
  route("docs/block-reasons", "routes/block-reasons.tsx"),
] satisfies RouteConfig;
