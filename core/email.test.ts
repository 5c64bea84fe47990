import fc from "fast-check";
import { expect, test } from "vitest";
import { maskEmail, mailboxOf, parseEmail, withParentDomains } from "./email.ts";

test.each([
  ["ada@example.com", "ada@example.com", "example.com"],
  ["  Ada.Lovelace+keys@Mail.Example.CO.UK ", "ada.lovelace+keys@mail.example.co.uk", "mail.example.co.uk"],
  ["x@xn--bcher-kva.example", "x@xn--bcher-kva.example", "xn--bcher-kva.example"],
])("%j is the address %s", (text, address, domain) => {
  expect(parseEmail(text)).toEqual({ address, domain });
});

test.each([
  "",
  "ada",
  "@example.com",
  "ada@",
  "ada@localhost",
  "ada@example",
  "ada@127.0.0.1",
  "ada@[127.0.0.1]",
  "ada@example.com.",
  "ada@.example.com",
  "ada@exa_mple.com",
  "ada@-example.com",
  "a da@example.com",
  '"a b"@example.com',
  "ada@example.com, eve@example.com",
  "ada@example.com\r\nBcc: eve@example.com",
  "<ada@example.com>",
  "ada@eve@example.com",
  ".ada@example.com",
  "a..b@example.com",
  `${"a".repeat(65)}@example.com`,
  `ada@${"a".repeat(250)}.com`,
  // Letters that fold onto others (GitHub, 2019): the Kelvin sign, the dotless i, full width.
  "\u212Aim@example.com",
  "adm\u0131n@example.com",
  "ada@\uFF45xample.com",
  "ada@ex\u00E4mple.com",
])("%j is no address", (text) => {
  expect(parseEmail(text)).toBeNull();
});

test("an address that was read reads the same again", () => {
  fc.assert(
    fc.property(fc.oneof(fc.emailAddress(), fc.string(), fc.string({ unit: "binary" })), (text) => {
      const parsed = parseEmail(text);
      if (parsed === null) return;
      expect(parseEmail(parsed.address)).toEqual(parsed);
      expect(parsed.address).toMatch(/^[\x21-\x7e]+$/);
      expect(parsed.address.endsWith(`@${parsed.domain}`)).toBe(true);
    }),
  );
});

test("a domain lies in its parents, but not in a public suffix alone", () => {
  expect(withParentDomains("a.b.example.com")).toEqual(["a.b.example.com", "b.example.com", "example.com"]);
  expect(withParentDomains("example.com")).toEqual(["example.com"]);
});

test.each([
  ["ada@example.com", "ada@example.com"],
  ["ada+1@example.com", "ada@example.com"],
  ["ada+a+b@example.com", "ada@example.com"],
  ["+ada@example.com", "+ada@example.com"],
  ["a.da@example.com", "a.da@example.com"],
])("mail for %s comes to %s", (address, mailbox) => {
  expect(mailboxOf(address)).toBe(mailbox);
});

test("a masked address keeps its domain and little of its owner", () => {
  expect(maskEmail("ada@example.com")).toBe("a•••@example.com");
  expect(maskEmail("ada.lovelace@example.com")).toBe("a•••@example.com");
  expect(maskEmail("no address")).toBe("•••");
});
