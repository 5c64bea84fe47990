import type { Call } from "./sdk-calls.ts";

/** How a vendor's SDK is told where to call, and made to call. The key is in the environment: code is kept, and keys are not kept in it. */
export interface Sdk {
  readonly node?: Language;
  readonly python?: Language;
  /** Appended to the base in the environment variable and in SDKs. */
  readonly path?: string;
  /** Environment variable by which the SDK takes its key. */
  readonly keyVariable?: string;
}

interface Language {
  /** What has to be there first. */
  readonly install: string;
  /** @param base the address of the integration, with the SDK's path. */
  readonly client: (base: string) => string;
  /** @param call its path is below the base. @returns undefined: the SDK has no way to make it. */
  readonly call: (call: Call) => string | undefined;
}

export const IN_NODE = `process.env.RELAYKEY`;
export const IN_PYTHON = `os.environ["RELAYKEY"]`;

/** For what they do not name, most SDKs have a method per verb. */
const VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

function stainlessNode({ method, path, hasBody }: Call): string | undefined {
  if (!VERBS.includes(method)) return undefined;
  const body = hasBody ? ", { body: {} }" : "";
  return `console.log(await client.${method.toLowerCase()}(${quote(path)}${body}));`;
}

function stainlessPython({ method, path, hasBody }: Call): string | undefined {
  if (!VERBS.includes(method)) return undefined;
  return `print(client.${method.toLowerCase()}(${quote(path)}, cast_to=object${hasBody ? ", body={}" : ""}))`;
}

/** By slug of the catalogue entry. */
export const SDKS: Readonly<Record<string, Sdk>> = {
  openai: {
    path: "/v1",
    keyVariable: "OPENAI_API_KEY",
    node: {
      install: "npm install openai",
      client: (base) =>
        `import OpenAI from "openai";\nconst client = new OpenAI({ baseURL: ${quote(base)}, apiKey: ${IN_NODE} });`,
      call: stainlessNode,
    },
    python: {
      install: "pip install openai",
      client: (base) =>
        `import os\nfrom openai import OpenAI\nclient = OpenAI(base_url=${quote(base)}, api_key=${IN_PYTHON})`,
      call: stainlessPython,
    },
  },
  anthropic: {
    keyVariable: "ANTHROPIC_API_KEY",
    node: {
      install: "npm install @anthropic-ai/sdk",
      client: (base) =>
        `import Anthropic from "@anthropic-ai/sdk";\nconst client = new Anthropic({ baseURL: ${quote(base)}, apiKey: ${IN_NODE} });`,
      call: stainlessNode,
    },
    python: {
      install: "pip install anthropic",
      client: (base) =>
        `import os\nfrom anthropic import Anthropic\nclient = Anthropic(base_url=${quote(base)}, api_key=${IN_PYTHON})`,
      call: stainlessPython,
    },
  },
  stripe: {
    keyVariable: "STRIPE_SECRET_KEY",
    node: {
      install: "npm install stripe",
      client: (base) => {
        const { hostname, port, protocol } = new URL(base);
        const isHere = hostname.endsWith(".localhost");
        return [
          ...(isHere ? [`import http from "node:http";`] : []),
          `import Stripe from "stripe";`,
          `const stripe = new Stripe(${IN_NODE}, {`,
          `  host: ${quote(hostname)},`,
          `  port: ${quote(port === "" ? "443" : port)},`,
          `  protocol: ${quote(protocol.slice(0, -1))},`,
          ...(isHere ? [`  httpAgent: new http.Agent({ lookup: ${HERE} }),`] : []),
          `});`,
        ].join("\n");
      },
      call: ({ method, path }) => `console.log(await stripe.rawRequest(${quote(method)}, ${quote(path)}));`,
    },
    python: {
      install: "pip install stripe",
      client: (base) =>
        `import os\nimport stripe\nclient = stripe.StripeClient(${IN_PYTHON}, base_addresses={"api": ${quote(base)}})`,
      call: ({ method, path }) =>
        `print(client.raw_request(${quote(method.toLowerCase())}, ${quote(path)}).data)`,
    },
  },
  resend: {
    keyVariable: "RESEND_API_KEY",
    node: {
      install: "npm install resend",
      client: (base) =>
        `import { Resend } from "resend";\nconst resend = new Resend(${IN_NODE}, { baseUrl: ${quote(base)} });`,
      call: ({ method, path, hasBody }) =>
        VERBS.includes(method)
          ? `console.log(await resend.${method.toLowerCase()}(${quote(path)}${hasBody ? ", {}" : ""}));`
          : undefined,
    },
  },
  cloudflare: {
    keyVariable: "CLOUDFLARE_API_TOKEN",
    node: {
      install: "npm install cloudflare",
      client: (base) =>
        `import Cloudflare from "cloudflare";\nconst client = new Cloudflare({ baseURL: ${quote(base)}, apiToken: ${IN_NODE} });`,
      call: stainlessNode,
    },
    python: {
      install: "pip install cloudflare",
      client: (base) =>
        `import os\nfrom cloudflare import Cloudflare\nclient = Cloudflare(base_url=${quote(base)}, api_token=${IN_PYTHON})`,
      call: stainlessPython,
    },
  },
  github: {
    keyVariable: "GITHUB_TOKEN",
    node: {
      install: "npm install octokit",
      client: (base) =>
        `import { Octokit } from "octokit";\nconst octokit = new Octokit({ auth: ${IN_NODE}, baseUrl: ${quote(base)} });`,
      call: ({ method, path }) => `console.log(await octokit.request(${quote(`${method} ${path}`)}));`,
    },
    python: {
      install: "pip install PyGithub",
      client: (base) =>
        `import os\nfrom github import Auth, Github\nclient = Github(auth=Auth.Token(${IN_PYTHON}), base_url=${quote(base)})`,
      call: ({ method, path }) =>
        `print(client.requester.requestJsonAndCheck(${quote(method)}, ${quote(path)}))`,
    },
  },
  google: {
    keyVariable: "GEMINI_API_KEY",
    node: {
      install: "npm install @google/genai",
      client: (base) =>
        `import { GoogleGenAI } from "@google/genai";\nconst google = new GoogleGenAI({ apiKey: ${IN_NODE}, httpOptions: { baseUrl: ${quote(base)} } });`,
      call: (call) =>
        generates(call)
          ? `console.log(await google.models.generateContent({ model: ${GEMINI}, contents: "Hello" }));`
          : undefined,
    },
    python: {
      install: "pip install google-genai",
      client: (base) =>
        `import os\nfrom google import genai\nclient = genai.Client(api_key=${IN_PYTHON}, http_options={"base_url": ${quote(base)}})`,
      call: (call) =>
        generates(call)
          ? `print(client.models.generate_content(model=${GEMINI}, contents="Hello").text)`
          : undefined,
    },
  },
  elevenlabs: {
    keyVariable: "ELEVENLABS_API_KEY",
    node: {
      install: "npm install @elevenlabs/elevenlabs-js",
      client: (base) =>
        `import { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";\nconst client = new ElevenLabsClient({ apiKey: ${IN_NODE}, baseUrl: ${quote(base)} });`,
      call: ({ method, path, hasBody }) =>
        `const answer = await client.fetch(${quote(path)}, { method: ${quote(method)}${hasBody ? `, body: "{}"` : ""} });\nconsole.log(answer.status);`,
    },
  },
  slack: {
    path: "/api/",
    keyVariable: "SLACK_BOT_TOKEN",
    node: {
      install: "npm install @slack/web-api",
      client: (base) =>
        `import { WebClient } from "@slack/web-api";\nconst slack = new WebClient(${IN_NODE}, { slackApiUrl: ${quote(base)} });`,
      call: ({ method, path }) =>
        method === "POST" ? `console.log(await slack.apiCall(${quote(path)}));` : undefined,
    },
    python: {
      install: "pip install slack_sdk",
      client: (base) =>
        `import os\nfrom slack_sdk import WebClient\nclient = WebClient(token=${IN_PYTHON}, base_url=${quote(base)})`,
      call: ({ method, path }) => `print(client.api_call(${quote(path)}, http_verb=${quote(method)}))`,
    },
  },
  twilio: {
    node: {
      install: "npm install twilio",
      client: (base) =>
        [
          `import twilio from "twilio";`,
          `class Relayed extends twilio.RequestClient {`,
          `  request = (options) =>`,
          `    super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", ${quote(base)}) });`,
          `}`,
          `// The SID of your account; its token stays with RelayKey.`,
          `const client = twilio("AC…", ${IN_NODE}, { httpClient: new Relayed() });`,
        ].join("\n"),
      call: ({ method, path }) =>
        `console.log(await client.request({ method: ${quote(method.toLowerCase())}, uri: ${quote(`https://api.twilio.com${path}`)} }));`,
    },
  },
  sendgrid: {
    keyVariable: "SENDGRID_API_KEY",
    node: {
      install: "npm install @sendgrid/client",
      client: (base) =>
        `import client from "@sendgrid/client";\nclient.setApiKey(${IN_NODE});\nclient.setDefaultRequest("baseUrl", ${quote(base)});`,
      call: ({ method, path }) =>
        `console.log(await client.request({ method: ${quote(method)}, url: ${quote(path)} }));`,
    },
  },
};

/** Not every system finds names below localhost (RFC 6761 §6.3 lets it, and glibc does not). */
const HERE = `(name, options, found) =>\n    found(null, options.all ? [{ address: "127.0.0.1", family: 4 }] : "127.0.0.1", 4)`;

/** A name that Google keeps for its newest model of that size. */
const GEMINI = quote("gemini-flash-latest");

/** Whether the call is one to a model: the SDK makes no other that a key is usually allowed. */
function generates({ method, path }: Call): boolean {
  return method === "POST" && /^\/v1(?:beta)?\/models\/ID$/.test(path);
}

/** A string literal, of JavaScript as of Python. */
export function quote(text: string): string {
  return JSON.stringify(text);
}
