import { globSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Cloudflare from "cloudflare";
import { Octokit } from "octokit";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { parseTarget } from "@relaykey/core/target";

const MODULES = fileURLToPath(new URL("../node_modules", import.meta.url));
const strict = { allowEncodedSlash: false };

/** Why a target is refused, the way a request is read: an apostrophe in the query is encoded first. Null if it is not. */
function refusal(target: string, options = strict): string | null {
  const mark = target.indexOf("?");
  const [path, query] = mark < 0 ? [target, ""] : [target.slice(0, mark), target.slice(mark + 1)];
  const result = parseTarget(path, query.replaceAll("'", "%27"), options);
  return result.ok ? null : `${target}: ${result.detail}`;
}

/** What callers put in place of a template's parameter, after the SDK encoded it once. */
const VALUES = [
  "id_1AbC-2",
  "0190a6e4-7f3c-7c4e-8f5a-0123456789ab",
  "ft:gpt-4o-mini:acme:suffix:abc123",
  "user%40example.com",
  "a%20b.txt",
  "C%23",
  "%E6%BC%A2%E5%AD%97",
  "@cf",
  "v1.2.3...main",
  "*.example.com",
  "who%3F",
  "50%25-off",
] as const;

interface Sdk {
  readonly files: string;
  readonly template: RegExp;
  readonly prefix: string;
  readonly least: number;
}

/** How each installed SDK writes its paths down in its own source. */
const SDKS: Readonly<Record<string, Sdk>> = {
  openai: {
    files: "openai/resources/**/*.mjs",
    template: /_client\.\w+\((?:path )?[`'](\/[^`']*)[`']/g,
    prefix: "/v1",
    least: 100,
  },
  anthropic: {
    files: "@anthropic-ai/sdk/resources/**/*.mjs",
    template: /_client\.\w+\((?:path )?[`'](\/[^`']*)[`']/g,
    prefix: "",
    least: 80,
  },
  cloudflare: {
    files: "cloudflare/resources/**/*.mjs",
    template: /_client\.\w+\((?:path )?[`'](\/[^`']*)[`']/g,
    prefix: "/client/v4",
    least: 500,
  },
  stripe: { files: "stripe/esm/**/*.js", template: /['`](\/v[12]\/[^'`]+)['`]/g, prefix: "", least: 150 },
  github: {
    files: "octokit/../@octokit/plugin-rest-endpoint-methods/dist-src/generated/endpoints.js",
    template: /"(?:GET|POST|PUT|PATCH|DELETE) (\/[^"]+)"/g,
    prefix: "",
    least: 600,
  },
  twilio: {
    files: "twilio/lib/rest/**/*.js",
    template: /_uri = `(\/[^`]+)`/g,
    prefix: "/2010-04-01",
    least: 300,
  },
  elevenlabs: {
    files: "@elevenlabs/elevenlabs-js/dist/api/**/Client.js",
    template: /["`](v1\/[^"`\s]*)["`]/g,
    prefix: "/",
    least: 100,
  },
  google: {
    files: "@google/genai/dist/node/index.mjs",
    template: /formatMap\('([^']+)'/g,
    prefix: "/v1beta/",
    least: 15,
  },
  resend: {
    files: "resend/dist/index.mjs",
    template: /["`](\/[a-z][a-z-]*[^"`\s]*)["`]/g,
    prefix: "",
    least: 40,
  },
  slack: {
    files: "@slack/web-api/dist/methods.js",
    template: /'([a-z]+(?:\.[a-zA-Z]+)+)'/g,
    prefix: "/api/",
    least: 150,
  },
};

describe("no path of an installed SDK is refused", () => {
  test.each(Object.entries(SDKS))("%s", (name, { files, template, prefix, least }) => {
    const [first = "", ...rest] = files.split("/");
    const root = realpathSync(join(MODULES, first.startsWith("@") ? join(first, rest.shift() ?? "") : first));
    const templates = new Set<string>();
    for (const file of globSync(rest.join("/"), { cwd: root })) {
      const source = readFileSync(join(root, file), "utf8");
      for (const [, path = ""] of source.matchAll(template)) templates.add(`${prefix}${path}`);
    }
    const refused: string[] = [];
    for (const path of templates) {
      for (const value of VALUES) {
        // Google's own names bring their slash: "models/x", "files/y".
        const filled = name === "google" ? `models/${value}` : value;
        const problem = refusal(path.replace(/\$?\{(?:[^{}]|\{[^{}]*\})*\}/g, filled));
        if (problem !== null) refused.push(problem);
      }
    }
    console.log(`${name}: ${String(templates.size)} path templates.`);
    expect(refused).toEqual([]);
    expect(templates.size).toBeGreaterThan(least);
  });
});

test.each([
  ["OpenAI", "/v1/models/ft:gpt-4o-mini:acme:suffix:abc123"],
  ["OpenAI", "/v1/responses/resp_1?include[]=message.output_text.logprobs&stream=true"],
  ["Azure OpenAI", "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"],
  ["Anthropic", "/v1/messages?beta=true"],
  ["Anthropic", "/v1/messages/batches/msgbatch_01/results"],
  ["Google", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"],
  ["Google", "/v1/models/gpt-4o:generate"],
  ["Google", "/upload/v1beta/files?uploadType=resumable&upload_id=AB-c_d"],
  [
    "Google",
    "/v1/projects/p/locations/global/publishers/google/models/gemini:generateContent?$alt=json;enum-encoding=int",
  ],
  ["Stripe", "/v1/customers/search?query=email:'a@b.c'"],
  ["Stripe", "/v1/customers/search?query=email%3A%27a%40b.c%27%20AND%20metadata%5B%22k%22%5D%3A%22v%22"],
  ["Stripe", "/v1/charges?expand[]=data.customer&expand[]=data.invoice&created[gte]=1&limit=3"],
  ["GitHub", "/repos/o/r/contents/a%20b.txt"],
  ["GitHub", "/repos/o/r/contents/src/index.ts?ref=feature/x"],
  ["GitHub", "/repos/o/r/compare/main...fork:feature"],
  ["GitHub", "/repos/o/.github/contents/.github/workflows/ci.yml"],
  ["GitHub", "/repos/o/r/git/ref/heads/main"],
  ["GitHub", "/search/issues?q=repo:o/r+is:open+label:%22good+first+issue%22&sort=created"],
  ["GitHub", "/users/dependabot[bot]".replace("[bot]", "%5Bbot%5D")],
  ["Cloudflare", "/client/v4/zones/023e/dns_records?name.contains=a.b&per_page=50"],
  ["Cloudflare", "/client/v4/accounts/a/ai/run/@cf/meta/llama-3.1-8b-instruct"],
  ["Twilio", "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json"],
  ["Twilio", "/2010-04-01/Accounts/AC1/Messages.json?DateSent%3E=2024-01-01&PageSize=50&To=%2B15551234"],
  ["Twilio", "/v2/PhoneNumbers/%2B14159929960?Fields=line_type_intelligence"],
  ["Slack", "/api/conversations.history?channel=C1&cursor=dXNlcjpVMDYx%3D%3D"],
  ["Slack", "/api/chat.postMessage"],
  ["ElevenLabs", "/v1/text-to-speech/21m00Tcm4TlvDq8ikWAM/stream?output_format=mp3_44100_128"],
  ["Resend", "/emails/49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"],
  ["SendGrid", "/v3/mail/send"],
  ["SendGrid", "/v3/asm/suppressions/global/user%40example.com"],
  ["SendGrid", "/v3/messages?query=status%3D%22delivered%22%20AND%20to_email%3D%22a%40b.c%22&limit=10"],
  [
    "Supabase",
    "/rest/v1/people?select=id,name,orders!inner(id,total)&age=gte.18&or=(a.eq.1,b.is.null)&order=id.desc",
  ],
  ["Supabase", "/rest/v1/people?name=ilike.*smith*&tags=cs.{a,b}&data->>k=eq.v".replaceAll(">", "%3E")],
  ["Supabase", "/storage/v1/object/sign/bucket/folder/sub%20folder/photo%20(1).png?width=100"],
  ["Supabase", "/auth/v1/token?grant_type=password"],
  ["Jira", "/rest/api/3/search?jql=project%20%3D%20%22A%22%20AND%20updated%20%3E%20-1d"],
  ["Notion", "/v1/databases/897e5a76ae524b489fdfe71f5945d1af/query"],
  ["Discord", "/api/v10/channels/1/messages/2/reactions/%F0%9F%94%A5/@me"],
  ["OData", "/v1.0/users('a%40b.c')/messages?$filter=startswith(subject,'x')&$top=5"],
  ["S3", "/bucket/key%20with%20(parens)%2Bplus.txt?list-type=2&prefix=a/b"],
] as const)("a request as %s takes it: %s", (_, target) => {
  expect(refusal(target)).toBeNull();
});

/**
 * Where %2F is legitimate: SDKs that encode a slash inside a parameter. Refused by default, because servers disagree on
 * what it is; the integration's `allow_encoded_slash` admits it.
 */
describe("an encoded slash that a vendor's own SDK sends passes where the integration admits it, and only there", () => {
  const targets: string[] = [];
  const capture = async (input: string | URL | Request): Promise<Response> => {
    // As it stands: a URL object would have normalised it already.
    const url = typeof input === "string" ? input : input instanceof URL ? input.href : input.url;
    targets.push(url.replace(/^https:\/\/[^/]+/, ""));
    return Response.json({ result: {}, content: "" });
  };
  const octokit = new Octokit({ auth: "x", request: { fetch: capture }, throttle: { enabled: false } });
  const cloudflare = new Cloudflare({ apiToken: "x", fetch: capture, maxRetries: 0 });
  const openai = new OpenAI({ apiKey: "x", fetch: capture, maxRetries: 0 });

  test.each<[string, () => PromiseLike<unknown>]>([
    [
      "GitHub: a file in a folder",
      () => octokit.rest.repos.getContent({ owner: "o", repo: "r", path: "src/index.ts" }),
    ],
    ["GitHub: a branch", () => octokit.rest.git.getRef({ owner: "o", repo: "r", ref: "heads/main" })],
    [
      "GitHub: a branch by name",
      () => octokit.rest.repos.getBranch({ owner: "o", repo: "r", branch: "a/b" }),
    ],
    [
      "Cloudflare: a KV key",
      () => cloudflare.kv.namespaces.values.get("users/1", { account_id: "a", namespace_id: "n" }),
    ],
    ["OpenAI-compatible: a model with its maker's name", () => openai.models.retrieve("meta/llama-3")],
  ])("%s", async (_, call) => {
    targets.length = 0;
    await call();
    const [target = ""] = targets;
    console.log(target);
    expect(target).toMatch(/%2F/);
    expect(refusal(target)).toContain("encoded slash");
    expect(refusal(target, { allowEncodedSlash: true })).toBeNull();
  });

  test.each([
    ["GitLab", "/api/v4/projects/group%2Fproject/repository/files/src%2Findex.ts?ref=main"],
    ["npm", "/@scope%2Fname"],
    ["Google Cloud Storage", "/storage/v1/b/bucket/o/folder%2Fobject.txt?alt=media"],
    ["Supabase Firebase-like storage", "/v0/b/bucket/o/a%2Fb%20c.png"],
  ])("%s: %s", (_, target) => {
    expect(refusal(target)).toContain("encoded slash");
    expect(refusal(target, { allowEncodedSlash: true })).toBeNull();
  });
});
