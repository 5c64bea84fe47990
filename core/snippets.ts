import type { CatalogueEntry } from "./catalogue/index.ts";
import type { ScopeRule } from "./scope.ts";
import { firstCall } from "./sdk-calls.ts";
import type { Call } from "./sdk-calls.ts";
import { IN_NODE, IN_PYTHON, SDKS, quote } from "./sdks.ts";
import type { Sdk } from "./sdks.ts";

/** A piece of code or shell that uses a key as it stands. */
export interface Snippet {
  readonly id: "curl" | "node" | "python" | "env";
  readonly label: string;
  /** What has to be there first: "npm install openai". */
  readonly install: string | null;
  readonly text: string;
}

export interface SnippetInput {
  /** Base URL of the proxy, without a path. */
  readonly proxy: string;
  readonly slug: string;
  readonly entry: Pick<CatalogueEntry, "slug" | "sdk"> | null;
  /** The token, or a name to be replaced by it. */
  readonly token: string;
  /** What the key may do: the call of the first rule is shown. */
  readonly rules: readonly ScopeRule[];
  readonly bindings: Readonly<Record<string, string>>;
}

/**
 * Where an integration is called: `PROXY/SLUG`, or for SDKs that take no path `SLUG.PROXY`. On this very machine the name
 * of the host has to be "localhost" for that, whose subdomains lead here too.
 */
export function integrationUrl(proxy: string, slug: string, form: "path" | "host"): string {
  if (form === "path") return `${proxy}/${slug}`;
  const url = new URL(proxy);
  const host = url.hostname === "127.0.0.1" ? "localhost" : url.hostname;
  return `${url.protocol}//${slug}.${host}${url.port === "" ? "" : `:${url.port}`}`;
}

/** The environment variables by which programs take a key and where to call; those of the vendor's SDK where it has some. */
export function environment({
  proxy,
  slug,
  entry,
  token,
}: Pick<SnippetInput, "proxy" | "slug" | "entry" | "token">): Record<string, string> {
  const sdk = (entry === null ? undefined : SDKS[entry.slug]) ?? {};
  const base = `${integrationUrl(proxy, slug, entry?.sdk.baseUrl ?? "path")}${sdk.path ?? ""}`;
  return {
    RELAYKEY: token,
    RELAYKEY_URL: base,
    ...(sdk.keyVariable === undefined ? {} : { [sdk.keyVariable]: token }),
    ...(entry?.sdk.env === undefined ? {} : { [entry.sdk.env]: base }),
  };
}

/** Ways to use a key, those of the vendor's SDK where there is one. Each makes a call that the key may make, as it stands. */
export function snippets(input: SnippetInput): Snippet[] {
  const { proxy, slug, entry } = input;
  const sdk = (entry === null ? undefined : SDKS[entry.slug]) ?? {};
  const base = `${integrationUrl(proxy, slug, entry?.sdk.baseUrl ?? "path")}${sdk.path ?? ""}`;
  const call = firstCall(input.rules, input.bindings);
  // curl reads no host name below localhost on every system; the path form always works.
  const url = `${proxy}/${slug}${call.path}`;
  return [
    { id: "curl", label: "curl", install: null, text: curl(url, call, input.token) },
    { id: "node", label: "Node", ...(bySdk(sdk, "node", base, call) ?? plainNode(url, call)) },
    { id: "python", label: "Python", ...(bySdk(sdk, "python", base, call) ?? plainPython(url, call)) },
    {
      id: "env",
      label: "Environment",
      install: null,
      text: Object.entries(environment(input))
        .map(([name, value]) => `export ${name}=${value}`)
        .join("\n"),
    },
  ];
}

type Code = Pick<Snippet, "install" | "text">;

function curl(url: string, { method, hasBody }: Call, token: string): string {
  const verb = method === "GET" ? "" : ` -X ${method}`;
  const body = hasBody ? ` \\\n  -H "Content-Type: application/json" \\\n  -d '{}'` : "";
  return `curl${verb} ${shell(url)} \\\n  -H ${shell(`Authorization: Bearer ${token}`)}${body}`;
}

/** null: the vendor has no SDK in that language, or it cannot make the call. */
function bySdk(sdk: Sdk, language: "node" | "python", base: string, call: Call): Code | null {
  const code = sdk[language];
  const below = belowBase(sdk.path, call);
  const made = below === null ? undefined : code?.call(below);
  if (code === undefined || made === undefined) return null;
  return { install: code.install, text: `${code.client(base)}\n${made}` };
}

/** The call as an SDK names it whose base has a path already. */
function belowBase(path: string | undefined, call: Call): Call | null {
  if (path === undefined) return call;
  const rest = call.path.slice(path.length);
  const isBelow = call.path.startsWith(path) && (path.endsWith("/") || rest.startsWith("/"));
  return isBelow ? { ...call, path: rest } : null;
}

function plainNode(url: string, { method, hasBody }: Call): Code {
  const [type, body] = hasBody ? [`, "Content-Type": "application/json"`, `\n  body: "{}",`] : ["", ""];
  return {
    install: null,
    text: `const answer = await fetch(${quote(url)}, {\n  method: ${quote(method)},\n  headers: { Authorization: \`Bearer \${${IN_NODE}}\`${type} },${body}\n});\nconsole.log(answer.status, await answer.text());`,
  };
}

function plainPython(url: string, { method, hasBody }: Call): Code {
  const [type, body] = hasBody ? [`, "Content-Type": "application/json"`, `\n    data=b"{}",`] : ["", ""];
  return {
    install: null,
    text: `import os\nimport urllib.request\nrequest = urllib.request.Request(\n    ${quote(url)},\n    method=${quote(method)},\n    headers={"Authorization": "Bearer " + ${IN_PYTHON}${type}},${body}\n)\nprint(urllib.request.urlopen(request).read())`,
  };
}

/** Single quotes, in which a shell reads nothing (POSIX 2.2.2). */
function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
