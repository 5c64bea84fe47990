import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The files that browsers load. */
export const CLIENT = fileURLToPath(new URL("../../control-plane/build/client/", import.meta.url));

/** A script, and those it needs. */
export interface Module {
  readonly module: string;
  readonly imports?: readonly string[];
}

export interface Route extends Module {
  readonly id: string;
  readonly parentId?: string;
  readonly path?: string;
  readonly index?: boolean;
}

/** What the build tells browsers to load, and for which addresses. */
export interface Manifest {
  readonly entry: Module;
  readonly routes: Readonly<Record<string, Route>>;
}

export const manifest = readManifest();

function readManifest(): Manifest {
  const name = readdirSync(`${CLIENT}assets`).find((file) => /^manifest-.+\.js$/.test(file)) ?? "";
  const text = readFileSync(`${CLIENT}assets/${name}`, "utf8");
  return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as Manifest;
}

/** The route that answers at an address: of those that fit, the one with the most literal segments. */
export function routeAt(address: string): string | null {
  const segments = segmentsOf(new URL(address, "http://localhost").pathname);
  const fitting = Object.values(manifest.routes)
    .filter(({ id }) => id.startsWith("routes/") && id !== "routes/shell")
    .map(({ id, path = "" }) => ({ id, literals: fit(segmentsOf(path), segments) }))
    .filter(({ literals }) => literals !== null)
    .sort((left, right) => (right.literals ?? 0) - (left.literals ?? 0));
  return fitting[0]?.id ?? null;
}

/** How many segments of a pattern a path has literally; null when it does not fit. */
function fit(pattern: readonly string[], path: readonly string[]): number | null {
  const isOpen = pattern.at(-1) === "*";
  const fixed = isOpen ? pattern.slice(0, -1) : pattern;
  if (isOpen ? path.length < fixed.length : path.length !== fixed.length) return null;
  const fits = fixed.every((segment, index) => segment.startsWith(":") || segment === path[index]);
  // A pattern that is open at its end fits what nothing else does.
  return fits ? fixed.filter((segment) => !segment.startsWith(":")).length - (isOpen ? 0.5 : 0) : null;
}

function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "");
}
