import type { ScopeRule } from "./scope.ts";

/** A request that a snippet makes. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly hasBody: boolean;
}

const WITH_BODY = ["POST", "PUT", "PATCH"];

/** A request that the rules admit: one that reads, where there is one. */
export function firstCall(rules: readonly ScopeRule[], bindings: Readonly<Record<string, string>>): Call {
  const reading = rules.find(({ methods }) => methods.includes("GET") || methods.includes("*"));
  const rule = reading ?? rules[0];
  if (rule === undefined) return { method: "GET", path: "/", hasBody: false };
  const method = reading === undefined ? (rule.methods[0] ?? "GET") : "GET";
  const path = rule.path
    .replace(/\{([^}]*)\}/g, (_, name: string) =>
      encodeURIComponent(Object.hasOwn(bindings, name) ? (bindings[name] ?? "ID") : "ID"),
    )
    .replaceAll(/\*+/g, "ID");
  return { method, path, hasBody: WITH_BODY.includes(method) };
}
