import { catalogueEntry } from "@relaykey/core/catalogue/index";
import type { CatalogueEntry } from "@relaykey/core/catalogue/index";
import type { CredentialPlacement } from "@relaykey/core/credential";
import type { Integration } from "@relaykey/db/queries/integrations";
import type { FormValues } from "./form.ts";

const SECOND_MS = 1_000;
const DEFAULT_TIMEOUT_SECONDS = "120";

/** The settings of an integration as the management API takes them; its schema says what is wrong with them. */
export function readIntegrationForm(form: FormValues): Record<string, unknown> {
  const timeout = form.text("timeout");
  return {
    name: form.text("name"),
    upstream: form.text("upstream"),
    credential: readCredential(form),
    request_headers: form
      .text("request_headers")
      .split(/[\s,]+/)
      .filter(Boolean),
    dialect: form.text("dialect"),
    allow_encoded_slash: form.flag("allow_encoded_slash"),
    log_query: form.flag("log_query"),
    response_cookies: form.flag("response_cookies"),
    scrub_responses: form.flag("scrub_responses"),
    timeout_ms: /^\d{1,4}$/.test(timeout) ? Number(timeout) * SECOND_MS : timeout,
  };
}

function readCredential(form: FormValues): unknown {
  switch (form.text("credential")) {
    case "basic":
      return {
        kind: "basic",
        username: form.raw("credential.username"),
        password: form.raw("credential.password"),
      };
    case "header":
      return {
        kind: "header",
        name: form.text("credential.header").toLowerCase(),
        template: form.raw("credential.template"),
      };
    case "query":
      return { kind: "query", name: form.text("credential.query") };
    default:
      return { kind: "bearer" };
  }
}

type Values = Readonly<Record<string, string>>;

/** The values that fill the form for a new integration. */
export function newIntegrationValues(entry: CatalogueEntry | null): Values {
  return {
    slug: entry?.slug ?? "",
    name: entry?.name ?? "",
    upstream: entry?.upstream ?? "https://",
    ...credentialValues(entry?.credential ?? { kind: "bearer" }),
    request_headers: (entry?.requestHeaders ?? []).join("\n"),
    dialect: entry?.dialect ?? "plain",
    scrub_responses: "on",
    timeout: DEFAULT_TIMEOUT_SECONDS,
  };
}

/** The values that fill the form for one that is there. The vendor key is not among them: nobody here can read it. */
export function integrationValues(integration: Integration): Values {
  const flags = {
    allow_encoded_slash: integration.allowEncodedSlash,
    log_query: integration.logQuery,
    response_cookies: integration.responseCookies,
    scrub_responses: integration.scrubResponses,
  };
  return {
    slug: integration.slug,
    name: integration.name,
    upstream: `${integration.upstreamOrigin}${integration.upstreamBasePath}`,
    ...credentialValues(integration.credential),
    request_headers: integration.requestHeaders.join("\n"),
    dialect: integration.dialect,
    ...Object.fromEntries(Object.entries(flags).flatMap(([name, on]) => (on ? [[name, "on"]] : []))),
    timeout: String(Math.ceil(integration.timeoutMs / SECOND_MS)),
  };
}

function credentialValues(credential: CredentialPlacement): Values {
  const base = {
    credential: credential.kind,
    "credential.username": "{secret}",
    "credential.password": "",
    "credential.header": "x-api-key",
    "credential.template": "{secret}",
    "credential.query": "key",
  };
  switch (credential.kind) {
    case "bearer":
      return base;
    case "basic":
      return {
        ...base,
        "credential.username": credential.username,
        "credential.password": credential.password,
      };
    case "header":
      return { ...base, "credential.header": credential.name, "credential.template": credential.template };
    case "query":
      return { ...base, "credential.query": credential.name };
  }
}

/** Where the vendor's key goes, in words. */
export function credentialWords(credential: CredentialPlacement): string {
  switch (credential.kind) {
    case "bearer":
      return "Authorization: Bearer";
    case "basic":
      return "Authorization: Basic (user name and password)";
    case "header":
      return `header ${credential.name}`;
    case "query":
      return `query parameter ${credential.name}`;
  }
}

/** The catalogue entry that an address names, if any. */
export function chosenEntry(url: URL): CatalogueEntry | null {
  return catalogueEntry(url.searchParams.get("from") ?? "");
}
