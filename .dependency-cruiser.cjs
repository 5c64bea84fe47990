/** Arrows go one way: core <- everything; db <- audit, control-plane, local, scripts; siblings never import each other. */
const within = (...folders) => `^(?:${folders.join("|")})/`;

/** What each part may import of ours, itself included. */
const MAY_IMPORT = {
  core: ["core"],
  db: ["db", "core"],
  "workers/proxy": ["workers/proxy", "core"],
  "workers/confirm": ["workers/confirm", "core"],
  "workers/audit": ["workers/audit", "core", "db"],
  "control-plane": ["control-plane", "core", "db"],
  cli: ["cli", "core"],
  local: ["local", "core", "db"],
  scripts: ["scripts", "control-plane", "local", "core", "db"],
  e2e: ["e2e", "local", "core", "db"],
  bench: ["bench", "local", "db", "core"],
};
const PARTS = Object.keys(MAY_IMPORT);
// Tests may start another part's server; what ships may not.
const TESTS = "\\.test\\.ts$|/test/|vitest\\.config\\.ts$";

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "resolvable",
      severity: "error",
      from: { pathNot: TESTS },
      to: { couldNotResolve: true, pathNot: "^(?:cloudflare:|virtual:|\\./build/)" },
    },
    {
      name: "core-is-pure",
      severity: "error",
      from: { path: within("core"), pathNot: TESTS },
      to: { dependencyTypes: ["core"] },
    },
    ...PARTS.map((part) => ({
      name: `direction-${part.replace("/", "-")}`,
      severity: "error",
      from: { path: within(part), pathNot: TESTS },
      to: { path: within(...PARTS.filter((other) => !MAY_IMPORT[part].includes(other))) },
    })),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(?:^|/)(?:node_modules|\\.tsbuild|build|dist)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "default"],
      extensions: [".ts", ".tsx", ".js"],
    },
  },
};
