import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { AppLoadContext } from "@remix-run/cloudflare";

const APP = new URL("../../../app/", import.meta.url);

/** What the dashboard's own routing table says of a route. */
interface RouteEntry {
  readonly path?: string;
  readonly file: string;
  readonly children?: readonly RouteEntry[];
}

type Handler = (args: {
  readonly request: Request;
  readonly params: Readonly<Record<string, string>>;
  readonly context: AppLoadContext;
}) => unknown;

/** A route of the dashboard: its pages and its forms. */
export interface DashboardRoute {
  /** Below `app/routes/`. */
  readonly file: string;
  readonly path: string;
  readonly loader: Handler | null;
  readonly action: Handler | null;
  /** What its forms ask for, as the source names it; "" is a form that names nothing. */
  readonly intents: readonly string[];
}

/** All of them, from the table that the build takes them from. */
export async function dashboardRoutes(): Promise<DashboardRoute[]> {
  const table = (await load("routes.ts")) as { default: readonly RouteEntry[] };
  const entries = table.default.flatMap(flat);
  return Promise.all(
    entries.map(async ({ file, path = "" }) => {
      const module = (await load(file)) as { loader?: Handler; action?: Handler };
      const source = readFileSync(new URL(file, APP), "utf8");
      return {
        file: file.replace(/^routes\//, ""),
        path,
        loader: module.loader ?? null,
        action: module.action ?? null,
        intents: intentsOf(source),
      };
    }),
  );
}

function flat(entry: RouteEntry): RouteEntry[] {
  return [entry, ...(entry.children ?? []).flatMap(flat)];
}

function load(file: string): Promise<unknown> {
  return import(/* @vite-ignore */ fileURLToPath(new URL(file, APP)));
}

/** Words that a form's `intent` is compared with, or is given. More than there are do no harm. */
function intentsOf(source: string): string[] {
  const named = [
    ...source.matchAll(/intent(?:"\))? === "([a-z_-]+)"/g),
    ...source.matchAll(/case "([a-z_-]+)"/g),
    ...source.matchAll(/name="intent"\s+value="([a-z_-]+)"/g),
    ...(/NETWORK_INTENTS = \{([^}]*)\}/.exec(source)?.[1] ?? "").matchAll(/([a-z_]+):/g),
  ].map(([, name = ""]) => name);
  return [...new Set(["", ...named])];
}

/** What a handler came to: it may return, or throw, data or an answer. */
export interface Outcome {
  readonly status: number;
  readonly location: string | null;
  /** All that reaches the browser, as text. */
  readonly text: string;
  /** The cookies that are set, decoded. */
  readonly cookies: string;
}

/** Calls a loader or an action as Remix does. */
export async function run(handler: Handler, args: Parameters<Handler>[0]): Promise<Outcome> {
  let result: unknown;
  try {
    result = await handler(args);
  } catch (thrown) {
    if (thrown instanceof Error) throw thrown;
    result = thrown;
  }
  if (result instanceof Response) {
    const { status, headers } = result;
    return {
      status,
      location: headers.get("Location"),
      text: await result.text(),
      cookies: cookiesIn(headers),
    };
  }
  const [data, init] = isData(result) ? [result.data, result.init] : [result, null];
  const cookies = cookiesIn(new Headers(init?.headers));
  return { status: init?.status ?? 200, location: null, text: JSON.stringify(data ?? null), cookies };
}

/** Remix writes a cookie's value as JSON in base64. */
function cookiesIn(headers: Headers): string {
  return headers
    .getSetCookie()
    .map((line) => {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split(/=(.*)/s);
      return `${name}=${atob(decodeURIComponent(value))}`;
    })
    .join("\n");
}

/** Of Remix's `data()`. */
function isData(result: unknown): result is { readonly data: unknown; readonly init: ResponseInit | null } {
  return (
    typeof result === "object" &&
    result !== null &&
    "type" in result &&
    result.type === "DataWithResponseInit"
  );
}
