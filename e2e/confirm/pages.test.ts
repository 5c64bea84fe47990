import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../browser.ts";
import { PagesStack, aView } from "./pages-stack.ts";
import type { Arranged } from "./pages-stack.ts";
import { LOOKS, READING_MS, check, read, title, visit } from "./visitor.ts";

const LOCATOR = "0123456789abcdef";

let stack: PagesStack;
let browser: Browser;

beforeAll(async () => {
  stack = await PagesStack.start();
  // A person's browser is not driven by a program.
  browser = await launchBrowser(["--disable-blink-features=AutomationControlled"]);
});

afterAll(async () => {
  await browser.close();
  await stack.stop();
});

const ANSWERS = {
  confirm: { state: "confirmed_now" },
  reject: { state: "frozen_now" },
  resend: { state: "sent" },
  then: { confirm: { view: { state: "confirmed" } }, reject: { view: { state: "frozen" } } },
} as const;

/** A link that comes too late to confirm. */
const LATE = {
  state: "expired",
  freezable: { keyName: "Laptop", keyDisplay: "rk_proxy_…a1b2", organizationName: "Acme" },
} as const;

describe.each<[string, BrowserContextOptions]>([
  ["with scripts", {}],
  ["without scripts", { javaScriptEnabled: false }],
])("a person, %s,", (_name, options) => {
  test("confirms with one choice and one button, once", async () => {
    const { url, token } = await stack.link(ANSWERS);
    const page = await visit(browser, url, options);
    expect(await title(page)).toBe("Was this you?");
    await read(page);
    await page.click("text=Yes, this was me");
    await page.click("text=Continue");
    expect(await title(page)).toBe("Confirmed");
    expect(await stack.calls(token)).toEqual([["confirm", LOCATOR, null]]);
    await page.goto(url);
    expect(await title(page)).toBe("Already confirmed");
  });

  test("freezes the key in two steps, and can go back after the first", async () => {
    const { url, token } = await stack.link(ANSWERS);
    const page = await visit(browser, url, options);
    await read(page);
    await page.click("text=No, this wasn’t me");
    await page.click("text=Continue");
    expect(await title(page)).toBe("Freeze this key?");
    await read(page);
    await page.click("text=Go back");
    expect(await title(page)).toBe("Was this you?");
    expect(await stack.calls(token)).toEqual([]);
    await read(page);
    await page.click("text=No, this wasn’t me");
    await page.click("text=Continue");
    await read(page);
    await page.click("text=Freeze the key");
    expect(await title(page)).toBe("The key is frozen");
    expect(await stack.calls(token)).toEqual([["reject", LOCATOR]]);
  });

  test("who is not sure changes nothing", async () => {
    const { url, token } = await stack.link(ANSWERS);
    const page = await visit(browser, url, options);
    await read(page);
    await page.click("text=I’m not sure");
    await page.click("text=Continue");
    expect(await title(page)).toBe("Nothing was changed");
    expect(await stack.calls(token)).toEqual([]);
  });

  test("types the number, where the organization asks for it; a wrong one confirms nothing", async () => {
    const { url, token } = await stack.link(
      { ...ANSWERS, confirm: { state: "mismatch" } },
      aView({ numberMatching: true }),
    );
    const page = await visit(browser, url, options);
    const answer = async (number: string): Promise<void> => {
      await read(page);
      await page.click("text=Yes, this was me");
      await page.fill("#number", number);
      await page.click("text=Continue");
    };
    await answer("");
    expect(await page.textContent("[role=alert]")).toContain("Type the number");
    expect(await stack.calls(token)).toEqual([]);
    await answer("11");
    expect(await page.textContent("[role=alert]")).toContain("not the number");
    await stack.arrange(token, { ...ANSWERS, view: aView({ numberMatching: true }) });
    await answer("4 7");
    expect(await title(page)).toBe("Confirmed");
    expect(await stack.calls(token)).toEqual([
      ["confirm", LOCATOR, "11"],
      ["confirm", LOCATOR, "47"],
    ]);
  });

  test("replaces an expired link", async () => {
    const { url, token } = await stack.link({ ...ANSWERS, view: { state: "expired" } });
    const page = await visit(browser, url, options);
    expect(await title(page)).toBe("This link has expired");
    await read(page);
    await page.click("text=Send a new mail");
    expect(await title(page)).toBe("A new mail is on its way");
    expect(await stack.calls(token)).toEqual([["resend", LOCATOR]]);
  });

  test.each(["expired", "locked"] as const)("says “this wasn’t me” with a link that is %s", async (state) => {
    const { url, token } = await stack.link({ ...ANSWERS, view: { ...LATE, state } });
    const page = await visit(browser, url, options);
    await page.click("text=This wasn’t me");
    expect(await title(page)).toBe("Freeze this key?");
    expect(await page.textContent(".card")).toContain("Laptop");
    await read(page);
    await page.click("text=Leave it as it is");
    await page.click("text=Continue");
    expect(await title(page)).toBe("Nothing was changed");
    expect(await stack.calls(token)).toEqual([]);
    await page.goto(`${url}?freeze`);
    await read(page);
    await page.click("text=Freeze it: it is not safe");
    await page.click("text=Continue");
    expect(await title(page)).toBe("The key is frozen");
    expect(await stack.calls(token)).toEqual([["reject", LOCATOR]]);
  });
});

test("a link that ended otherwise offers nothing to freeze, whoever asks for it", async () => {
  const { url, token } = await stack.link({ ...ANSWERS, view: { state: "confirmed" } });
  const page = await visit(browser, `${url}?freeze`);
  expect(await title(page)).toBe("Already confirmed");
  expect(await page.locator("form").count()).toBe(0);
  expect(await stack.calls(token)).toEqual([]);
});

test("everything can be done with the keyboard alone", async () => {
  const { url, token } = await stack.link(ANSWERS);
  const page = await visit(browser, url);
  await read(page);
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  expect(await title(page)).toBe("Confirmed");
  expect(await stack.calls(token)).toHaveLength(1);
});

test("an answer in no time is asked for again, and then counts", async () => {
  const { url, token } = await stack.link(ANSWERS);
  const page = await visit(browser, url);
  await page.click("text=Yes, this was me");
  await page.click("text=Continue");
  expect(await page.textContent("[role=alert]")).toContain("very quick");
  expect(await stack.calls(token)).toEqual([]);
  expect(await page.locator("input:checked").count()).toBe(0);
  await read(page);
  await page.click("text=Yes, this was me");
  await page.click("text=Continue");
  expect(await title(page)).toBe("Confirmed");
});

test("without a choice nothing is sent", async () => {
  const { url, token } = await stack.link(ANSWERS);
  const page = await visit(browser, url);
  await read(page);
  await page.click("text=Continue");
  expect(await page.locator("input:invalid").count()).toBeGreaterThan(0);
  expect(await stack.calls(token)).toEqual([]);
});

describe("a form", () => {
  /** As a browser sends it after a person's click, but for what a test changes. */
  async function send(
    change: {
      headers?: Record<string, string | null>;
      fields?: Record<string, string | null>;
      url?: (url: string) => Promise<string>;
    } = {},
  ): Promise<{ status: number; calls: unknown[] }> {
    const { url, token } = await stack.link(ANSWERS);
    const page = await fetch(url);
    const form = new URLSearchParams();
    const text = await page.text();
    for (const [, name = "", value = ""] of text.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
      form.set(name, value);
    }
    form.set("website", "");
    form.set("answer", "yes");
    for (const [name, value] of Object.entries(change.fields ?? {})) {
      if (value === null) form.delete(name);
      else form.set(name, value);
    }
    const headers = new Headers({
      Origin: new URL(url).origin,
      Cookie: page.headers.get("set-cookie")?.split(";")[0] ?? "",
      "Sec-Fetch-Site": "same-origin",
      "Sec-Fetch-Mode": "navigate",
      "Sec-Fetch-Dest": "document",
      "Sec-Fetch-User": "?1",
      "User-Agent":
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36",
    });
    for (const [name, value] of Object.entries(change.headers ?? {})) {
      if (value === null) headers.delete(name);
      else headers.set(name, value);
    }
    await new Promise((resolve) => setTimeout(resolve, READING_MS));
    const target = (await change.url?.(url)) ?? url;
    // Node's fetch keeps Sec-Fetch-Mode for itself; the raw client sends what it is told.
    const response = await rawPost(target, headers, form.toString());
    return { status: response, calls: await stack.calls(token) };
  }

  test("that is whole counts", async () => {
    expect(await send()).toEqual({ status: 200, calls: [["confirm", LOCATOR, null]] });
  });

  test("from Safari, which does not say who pressed, counts", async () => {
    const { calls } = await send({
      headers: {
        "Sec-Fetch-User": null,
        "User-Agent":
          "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1",
      },
    });
    expect(calls).toHaveLength(1);
  });

  test.concurrent.each<[string, Parameters<typeof send>[0], number]>([
    ["no Origin", { headers: { Origin: null } }, 403],
    ["the Origin null", { headers: { Origin: "null" } }, 403],
    ["another Origin", { headers: { Origin: "https://evil.example" } }, 403],
    ["Sec-Fetch-Site: cross-site", { headers: { "Sec-Fetch-Site": "cross-site" } }, 403],
    ["Sec-Fetch-Site: same-site", { headers: { "Sec-Fetch-Site": "same-site" } }, 403],
    ["Sec-Fetch-Mode: cors", { headers: { "Sec-Fetch-Mode": "cors" } }, 403],
    ["Sec-Fetch-Dest: iframe", { headers: { "Sec-Fetch-Dest": "iframe" } }, 403],
    ["no Sec-Fetch-User in Chrome", { headers: { "Sec-Fetch-User": null } }, 422],
    ["no cookie", { headers: { Cookie: null } }, 422],
    ["another browser's cookie", { headers: { Cookie: "relaykey-page=AAAAAAAAAAAAAAAAAAAAAA" } }, 422],
    ["no ticket", { fields: { ticket: null } }, 422],
    ["an invented ticket", { fields: { ticket: "zzzzzz.AAAA" } }, 422],
    ["a ticket of another step", { fields: { step: "freeze", answer: "freeze" } }, 422],
    ["a ticket of a late step", { fields: { step: "late_freeze", answer: "freeze" } }, 422],
    ["an unknown step", { fields: { step: "approve" } }, 403],
    ["the decoy filled in", { fields: { website: "https://example.org" } }, 422],
    ["no decoy", { fields: { website: null } }, 422],
    ["the script's mark untouched", { fields: { script: "running" } }, 422],
    ["the script's mark gone", { fields: { script: null } }, 422],
    ["an answer nobody offers", { fields: { answer: "confirm" } }, 422],
    ["another link", { url: async () => (await stack.link(ANSWERS)).url }, 422],
    [
      "a link with one character changed",
      { url: async (url) => url.replace(/.$/, (last) => (last === "A" ? "B" : "A")) },
      404,
    ],
  ])("with %s changes nothing", async (_name, change, status) => {
    expect(await send(change)).toEqual({ status, calls: [] });
  });
});

async function rawPost(url: string, headers: Headers, body: string): Promise<number> {
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: "POST",
        headers: {
          ...Object.fromEntries(headers),
          "Content-Type": "application/x-www-form-urlencoded",
          "Content-Length": Buffer.byteLength(body),
        },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

test("a page keeps the link to itself, is kept by nobody, and runs and loads only its own", async () => {
  const { url } = await stack.link(ANSWERS);
  const requests: string[] = [];
  const problems: string[] = [];
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  const response = await page.goto(url);
  const headers = response?.headers() ?? {};
  expect(headers["cache-control"]).toBe("no-store");
  expect(headers["referrer-policy"]).toBe("same-origin");
  expect(headers["x-robots-tag"]).toContain("noindex");
  expect(headers["content-security-policy"]).toMatch(
    /^default-src 'none'; script-src 'nonce-[^']+'; style-src 'nonce-[^']+';/,
  );
  expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
  expect(requests.filter((request) => !request.startsWith("data:"))).toEqual([url]);
  expect(problems).toEqual([]);
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax" });
});

test("what others wrote is text: a hostile call cannot write into the page or the mail", async () => {
  const markup = `<img src=x onerror=alert(1)>"'><script>alert(2)</script>`;
  const { pending } = aView();
  const view = aView({
    keyName: markup,
    organizationName: `${markup} https://evil.example`,
    pending: {
      ...pending,
      request: { ...pending.request, userAgent: `\u202e${markup} www.evil.example`, path: `/${markup}` },
    },
  });
  const { url } = await stack.link(ANSWERS, view);
  const page = await visit(browser, url);
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => dialogs.push(dialog.message()));
  expect(await page.locator("img, .card script").count()).toBe(0);
  expect(await page.textContent("dl")).toContain("<img src=x");
  expect(dialogs).toEqual([]);
});

/** Every state a person can see. */
const STATES: Readonly<
  Record<string, { answers?: Arranged; matching?: true; act?: (page: Page) => Promise<void> }>
> = {
  question: {},
  "question-number": { matching: true },
  "wrong-number": {
    matching: true,
    answers: { confirm: { state: "mismatch" } },
    act: async (page) => {
      await page.click("text=Yes, this was me");
      await page.fill("#number", "11");
      await page.click("text=Continue");
    },
  },
  freeze: {
    act: async (page) => {
      await page.click("text=No, this wasn’t me");
      await page.click("text=Continue");
    },
  },
  frozen_now: {
    act: async (page) => {
      await page.click("text=No, this wasn’t me");
      await page.click("text=Continue");
      await read(page);
      await page.click("text=Freeze the key");
    },
  },
  confirmed_now: {
    act: async (page) => {
      await page.click("text=Yes, this was me");
      await page.click("text=Continue");
    },
  },
  unsure: {
    act: async (page) => {
      await page.click("text=I’m not sure");
      await page.click("text=Continue");
    },
  },
  ...Object.fromEntries(
    ["confirmed", "rejected", "frozen", "key_ended", "locked", "expired", "unknown"].map((state) => [
      state,
      { answers: { view: { state } } },
    ]),
  ),
  late: { answers: { view: LATE } },
  "late-locked": { answers: { view: { ...LATE, state: "locked" } } },
  "late-freeze": { answers: { view: LATE }, act: (page) => page.click("text=This wasn’t me") },
  unavailable: { answers: { down: true } },
  throttled: {
    answers: { view: { state: "expired" }, resend: { state: "throttled" } },
    act: (page) => page.click("text=Send a new mail"),
  },
  sent: {
    answers: { view: { state: "expired" } },
    act: (page) => page.click("text=Send a new mail"),
  },
};

describe.each(LOOKS)("accessible and whole, %s:", (look, options) => {
  test.concurrent.each(Object.entries(STATES))("%s", async (name, { answers, matching, act }) => {
    const { url } = await stack.link(
      { ...ANSWERS, ...answers },
      aView({ numberMatching: matching === true }),
    );
    const page = await visit(browser, url, options);
    if (act !== undefined) {
      await read(page);
      await act(page);
      await page.waitForLoadState();
    }
    await check(page, `${name}-${look}`);
    await page.context().close();
  });

  test("help", async () => {
    const page = await visit(browser, `${stack.confirm}/help`, options);
    await check(page, `help-${look}`);
  });
});
