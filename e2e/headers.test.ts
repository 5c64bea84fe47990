import { expect, inject, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { screenshot, watchProblems } from "./dashboard/look.ts";
import { signedIn } from "./dashboard/people.ts";

const { controlPlane, managementToken } = inject("local");

/** Whatever is asked for, each answer has these. */
async function expectSecured(method: string, path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${controlPlane}${path}`, { method, headers, redirect: "manual" });
  const text = await answer.text();
  const name = `${method} ${path} answered ${String(answer.status)}`;
  expect(answer.status, name).not.toBe(500);
  const policy = answer.headers.get("Content-Security-Policy") ?? "";
  expect(policy, name).toMatch(/default-src 'none'/);
  expect(policy, name).toMatch(/frame-ancestors 'none'/);
  expect(policy, name).not.toMatch(/unsafe|\*|https?:(?!\/\/127)/);
  expect(answer.headers.get("X-Content-Type-Options"), name).toBe("nosniff");
  expect(answer.headers.get("X-Frame-Options"), name).toBe("DENY");
  expect(answer.headers.get("Referrer-Policy"), name).toMatch(/^(?:same-origin|no-referrer)$/);
  expect(answer.headers.get("Cross-Origin-Resource-Policy"), name).toBe("same-origin");
  expect(answer.headers.get("RelayKey-Request-Id"), name).toMatch(/^[\da-f-]{36}$/);
  return { status: answer.status, headers: answer.headers, text };
}

test("every operation of the API, allowed or not, and what is none", async () => {
  const document = JSON.parse((await expectSecured("GET", "/api/v1/openapi.json")).text) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const authorized = { Authorization: `Bearer ${managementToken}` };
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of Object.keys(operations).map((name) => name.toUpperCase())) {
      const address = `/api/v1${path.replaceAll(/\{\w+\}/g, "x")}`;
      await expectSecured(method, address);
      if (method === "GET") await expectSecured(method, address, authorized);
    }
  }
  expect((await expectSecured("GET", "/api/v1/nothing", authorized)).status).toBe(404);
  expect((await expectSecured("PUT", "/api/v1/keys", authorized)).status).toBe(405);
});

test("every page, file and other address", async () => {
  const { cookie } = await signedIn();
  const home = await expectSecured("GET", "/", { Cookie: cookie });
  const files = [...home.text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
  expect(files.length).toBeGreaterThan(2);
  for (const path of files) {
    const file = await expectSecured("GET", path);
    expect([file.status, file.headers.get("Cache-Control")]).toEqual([
      200,
      "public, max-age=31536000, immutable",
    ]);
  }
  const pages = [
    "keys",
    "integrations",
    "holders",
    "audit",
    "notices",
    "admin-events",
    "settings/plan",
    "trust",
  ];
  for (const page of pages) await expectSecured("GET", `/${page}`, { Cookie: cookie });
  for (const path of [
    "/favicon.svg",
    "/docs/scalar.js",
    "/docs/reference.js",
    "/docs/api",
    "/healthz",
    "/sign-in",
  ])
    expect((await expectSecured("GET", path)).status).toBe(200);
  for (const path of ["/nothing", "/assets/nothing.js", "/docs/nothing.js", "/api", "/.well-known/nothing"])
    await expectSecured("GET", path);
  await expectSecured("POST", "/webhooks/stripe");
  // A form from elsewhere.
  const foreign = await expectSecured("POST", "/sign-in", { Origin: "https://example.com" });
  expect(foreign.status).toBe(403);
});

test("security.txt is well formed (RFC 9116) and has not expired", async () => {
  const { status, headers, text } = await expectSecured("GET", "/.well-known/security.txt");
  expect([status, headers.get("Content-Type")]).toEqual([200, "text/plain; charset=utf-8"]);
  const fields = text.trimEnd().split("\n");
  for (const field of fields) expect(field).toMatch(/^[A-Z][A-Za-z-]+: \S/);
  const valuesOf = (name: string) =>
    fields.filter((field) => field.startsWith(`${name}: `)).map((field) => field.slice(name.length + 2));
  for (const contact of valuesOf("Contact")) expect(contact).toMatch(/^(?:mailto:|https:\/\/)/);
  expect(valuesOf("Contact").length).toBeGreaterThan(0);
  expect(valuesOf("Canonical")).toEqual([`${controlPlane}/.well-known/security.txt`]);
  const [expires, ...more] = valuesOf("Expires");
  expect(more).toEqual([]);
  expect(expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/);
  expect(Date.parse(expires ?? "")).toBeGreaterThan(Date.now() + 86_400_000);
  expect(Date.parse(expires ?? "")).toBeLessThan(Date.now() + 366 * 86_400_000);
});

test("the API's reference is drawn, in its own styles, and breaks no rule of its page", async () => {
  const browser = await launchBrowser();
  const page = await browser.newPage();
  const problems = watchProblems(page);
  await page.addInitScript(() => {
    const broken: string[] = [];
    (globalThis as unknown as { broken: string[] }).broken = broken;
    document.addEventListener("securitypolicyviolation", (event) => {
      broken.push(`${event.effectiveDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(`${controlPlane}/docs/api`);
  await page.waitForSelector("text=RelayKey management API");
  await page.waitForSelector("text=Create an organization");
  await page.mouse.wheel(0, 4_000);
  await page.waitForSelector("pre");
  const display = () =>
    page.evaluate(
      () => getComputedStyle(document.querySelector(".scalar-api-reference") ?? document.body).display,
    );
  expect(await display()).toBe("grid");
  await screenshot(page, "api-reference");
  expect(await page.evaluate(() => (globalThis as unknown as { broken: string[] }).broken)).toEqual([]);
  expect(problems).toEqual([]);
  await browser.close();
});
