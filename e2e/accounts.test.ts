import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { sessions } from "@relaykey/db/schema/access";
import { launchBrowser } from "./browser.ts";
import { browserOf, database, signedIn } from "./dashboard/people.ts";
import { CODE, INVITATION_LINK, SIGN_IN_LINK, inMails, mailsTo } from "./mailbox.ts";

const { controlPlane } = inject("local");

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

async function newPage(options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
  return (await browser.newContext(options)).newPage();
}

async function ask(page: Page, email: string, path = "/sign-in"): Promise<void> {
  await page.goto(`${controlPlane}${path}`);
  await page.fill("#email", email);
  await page.click("text=Send the mail");
  await page.waitForURL(`${controlPlane}/sign-in/check`);
}

test("from the first mail to a second member, without JavaScript", async () => {
  const domain = `d${crypto.randomUUID().slice(0, 8)}.example`;
  const [ada, bob, eve] = [`ada@${domain}`, `bob@${domain}`, `eve@${domain}`];
  const page = await newPage({ javaScriptEnabled: false });

  // Asks for the page that was wanted, and comes back to it.
  await page.goto(`${controlPlane}/settings/members`);
  expect(page.url()).toBe(`${controlPlane}/sign-in?return_to=%2Fsettings%2Fmembers`);
  await page.fill("#email", ada);
  await page.click("text=Send the mail");
  const link = inMails(await mailsTo(ada), SIGN_IN_LINK);

  // A scanner, or another browser, is shown no button.
  const scanner = await newPage();
  await scanner.goto(link);
  expect(await scanner.textContent("h1")).toBe("Go back to where you asked");
  expect(await scanner.locator("button").count()).toBe(0);

  await page.goto(link);
  await page.click("button:has-text('Sign in')");
  await page.waitForURL(`${controlPlane}/welcome`);
  expect(await page.textContent("main")).toContain(`It will hold the domain ${domain}`);
  await page.fill("#name", "Lovelace & Co");
  await page.click("text=Open the organization");
  // A new organization is led to its first steps, of which its domain is done.
  await page.waitForURL(`${controlPlane}/start`);
  expect(await page.textContent("main")).toContain("Lovelace & Co is ready.");
  expect(await page.locator("li", { hasText: "Claim your domain" }).textContent()).toContain("(done)");

  // A colleague signs in by the code and is not let in, nor told whose organization it is.
  const outside = await newPage({ javaScriptEnabled: false });
  await ask(outside, eve);
  await outside.fill("#code", "AAAA-0000");
  await outside.click("button:has-text('Sign in')");
  expect(await outside.textContent("main")).toContain("That did not work");
  await outside.fill("#code", inMails(await mailsTo(eve), CODE).toLowerCase());
  await outside.click("button:has-text('Sign in')");
  await outside.waitForURL(`${controlPlane}/welcome`);
  expect(await outside.textContent("h1")).toBe("You need an invitation");
  expect(await outside.content()).not.toContain("Lovelace");
  await outside.click("text=Tell its admins");
  expect(await outside.textContent("main")).toContain("The admins get a mail");

  // Another one is invited, and joins.
  await page.goto(`${controlPlane}/settings/members`);
  await page.fill("#email", bob);
  await page.click("button:has-text('Invite')");
  expect(await page.textContent("main")).toContain(`${bob} gets a mail with the invitation.`);
  const invitation = inMails(await mailsTo(bob), INVITATION_LINK);
  await outside.goto(invitation);
  expect(await outside.textContent("h1")).toBe("Join Lovelace & Co");
  expect(await outside.locator("button:has-text('Join')").count()).toBe(0);
  const joining = await newPage({ javaScriptEnabled: false });
  await joining.goto(invitation);
  await joining.click("text=/^Sign in as/");
  await joining.fill("#email", bob);
  await joining.click("text=Send the mail");
  await joining.goto(inMails(await mailsTo(bob, 2), SIGN_IN_LINK));
  await joining.click("button:has-text('Sign in')");
  await joining.waitForURL(invitation);
  await joining.click("button:has-text('Join')");
  await joining.waitForURL(`${controlPlane}/`);
  await joining.goto(`${controlPlane}/settings/members`);
  expect(await joining.textContent("main")).toContain(ada);
  expect(await joining.locator("text=Invite somebody").count()).toBe(0);

  // The last admin stays.
  await page.goto(`${controlPlane}/settings/members?leave`);
  await page.click("dialog button:has-text('Leave')");
  expect(await page.textContent("dialog")).toContain("This is the last one");

  // Signing out everywhere ends every session.
  await joining.goto(`${controlPlane}/settings/sessions`);
  await joining.click("text=Sign out everywhere");
  await joining.waitForURL(`${controlPlane}/sign-in`);
  await joining.goto(`${controlPlane}/`);
  expect(new URL(joining.url()).pathname).toBe("/sign-in");
});

test("an organization is deleted after its name was typed, and kept again", async () => {
  const context = await browserOf(browser, await signedIn());
  const page = await context.newPage();
  await page.goto(`${controlPlane}/settings/organization?confirm=delete`);
  await page.fill("#typed", "Example");
  await page.click("dialog button:has-text('Delete')");
  await page.waitForSelector("dialog >> text=Type the name as it is");
  await page.fill("#typed", "Example & Sons");
  await page.click("dialog button:has-text('Delete')");
  await page.waitForSelector("text=This organization will be deleted");
  await page.click("text=Keep it");
  await page.waitForSelector("text=The organization stays.");
  await context.close();
});

describe("passkeys", () => {
  // A passkey belongs to a host name: the address of this machine has none, "localhost" is its name.
  const named = controlPlane.replace("127.0.0.1", "localhost");

  async function withAuthenticator(): Promise<{ context: BrowserContext; page: Page }> {
    const person = await signedIn();
    const context = await browser.newContext();
    await context.addCookies([{ name: "session", value: person.cookie.split("=")[1] ?? "", url: named }]);
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return { context, page };
  }

  test("are enrolled, asked for by dangerous actions, and taken away", async () => {
    const { context, page } = await withAuthenticator();
    await page.goto(`${named}/settings/passkeys`);
    await page.fill("#new-passkey", "Test laptop");
    await page.click("text=Enroll a passkey >> nth=-1");
    await page.waitForSelector("text=The passkey is enrolled.");
    expect(await page.inputValue("input[name=name]")).toBe("Test laptop");

    // As if ten minutes had passed.
    await database.update(sessions).set({ strongUntil: null });

    await page.goto(`${named}/settings/organization?confirm=delete`);
    await page.fill("#typed", "Example & Sons");
    await page.click("dialog button:has-text('Delete')");
    await page.click("dialog >> text=Show the passkey");
    await page.waitForURL(/\/passkey\?return_to=/);
    await page.click("button:has-text('Show the passkey')");
    await page.waitForURL(/\/settings\/organization\?confirm=delete/);
    await page.fill("#typed", "Example & Sons");
    await page.click("dialog button:has-text('Delete')");
    await page.waitForSelector("text=This organization will be deleted");

    await page.goto(`${named}/settings/passkeys`);
    await page.click("text=Remove");
    await page.waitForSelector("text=The passkey is removed.");
    await context.close();
  });

  test("cannot be made at an address, which says where they can", async () => {
    const context = await browserOf(browser, await signedIn());
    const page = await context.newPage();
    await page.goto(`${controlPlane}/settings/passkeys`);
    expect(await page.textContent("main")).toContain(`${named}/settings/passkeys`);
    await context.close();
  });
});
