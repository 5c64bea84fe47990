import { oneLine } from "./one-line.ts";

/** What `rk` calls itself in User-Agent. */
export const CLI_USER_AGENT = "rk/0.1.0";

const CLI_PATTERN = /^rk\/\d/;

/**
 * Whether a caller of the management API says that it is `rk`. Anybody can say so: it names the face that was used, and
 * nothing may depend on it. Who acted is the token, and from where is the address.
 */
export function isCli(userAgent: string | undefined): boolean {
  return userAgent !== undefined && CLI_PATTERN.test(userAgent);
}

/** Programs by how their user agent says who they are; the first that fits counts. The group is the version. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/^(?:Async)?OpenAI\/JS ([\d.]+)/, "OpenAI SDK for JavaScript"],
  [/^(?:Async)?OpenAI\/Python ([\d.]+)/, "OpenAI SDK for Python"],
  [/^(?:Async)?Anthropic\/JS ([\d.]+)/, "Anthropic SDK for JavaScript"],
  [/^(?:Async)?Anthropic\/Python ([\d.]+)/, "Anthropic SDK for Python"],
  [/^Stripe\/v\d NodeBindings\/([\d.]+)/, "Stripe SDK for Node.js"],
  [/^Stripe\/v\d PythonBindings\/([\d.]+)/, "Stripe SDK for Python"],
  [/^octokit[\w.-]*\/([\d.]+)/, "Octokit"],
  [/^@?slack[:/]web-api\/([\d.]+)/, "Slack SDK for Node.js"],
  [/^resend-node:([\d.]+)/, "Resend SDK for Node.js"],
  [/^rk\/([\d.]+)/, "rk"],
  [/^curl\/([\d.]+)/, "curl"],
  [/^Wget\/([\d.]+)/, "Wget"],
  [/^HTTPie\/([\d.]+)/, "HTTPie"],
  [/^PostmanRuntime\/([\d.]+)/, "Postman"],
  [/^insomnia\/([\d.]+)/, "Insomnia"],
  [/^python-requests\/([\d.]+)/, "Python (requests)"],
  [/^python-httpx\/([\d.]+)/, "Python (httpx)"],
  [/^Python\/[\d.]+ aiohttp\/([\d.]+)/, "Python (aiohttp)"],
  [/^Python-urllib\/([\d.]+)/, "Python (urllib)"],
  [/^axios\/([\d.]+)/, "Node.js (axios)"],
  [/^node-fetch\/([\d.]+)/, "Node.js (node-fetch)"],
  [/^(?:node|undici)$/, "Node.js"],
  [/^Deno\/([\d.]+)/, "Deno"],
  [/^Bun\/([\d.]+)/, "Bun"],
  [/^Go-http-client\/([\d.]+)/, "Go"],
  [/^okhttp\/([\d.]+)/, "Java (OkHttp)"],
  [/^Java(?:-http-client)?\/([\d.]+)/, "Java"],
  [/ Edg\/(\d+)/, "Edge"],
  [/ OPR\/(\d+)/, "Opera"],
  [/ Firefox\/(\d+)/, "Firefox"],
  [/ Chrome\/(\d+)/, "Chrome"],
  [/ Version\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari\//, "Safari"],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/Windows NT/, "Windows"],
  [/iPhone|iPad/, "iOS"],
  [/Macintosh/, "macOS"],
  [/Android/, "Android"],
  [/X11; Linux|X11; CrOS/, "Linux"],
];

const MAX_LENGTH = 80;

/** A user agent as people read it. What is not known is shown as it is, as one short line. */
export function clientName(userAgent: string | null): string {
  const text = oneLine(userAgent ?? "", 400);
  if (text === "") return "Not named";
  for (const [pattern, name] of PROGRAMS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const version = match[1]?.slice(0, 20);
    const system = text.startsWith("Mozilla/") ? SYSTEMS.find(([sign]) => sign.test(text))?.[1] : undefined;
    return `${name}${version === undefined ? "" : ` ${version}`}${system === undefined ? "" : ` on ${system}`}`;
  }
  return oneLine(text, MAX_LENGTH);
}
