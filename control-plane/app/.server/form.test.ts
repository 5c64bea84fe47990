import { expect, test } from "vitest";
import { readForm } from "./form.ts";

const URLENCODED = "application/x-www-form-urlencoded";
const MEBIBYTE = 1_048_576;

function sent(body: BodyInit | null, type?: string): Request {
  return new Request("https://keys.example/sign-in", {
    method: "POST",
    body,
    headers: type === undefined ? {} : { "Content-Type": type },
  });
}

test("a form as browsers send it is read", async () => {
  const multipart = new FormData();
  multipart.set("email", "ada@example.com");
  multipart.set("file", new Blob(["x"]), "a.txt");
  const forms = [sent("email=ada%40example.com", `${URLENCODED}; charset=UTF-8`), sent(multipart)];
  for (const request of forms) expect((await readForm(request)).text("email")).toBe("ada@example.com");
});

test.each([
  ["JSON", '{"email":"ada@example.com"}', "application/json"],
  ["plain text", "email=ada@example.com", "text/plain"],
  ["no type", new Uint8Array([101]), undefined],
  ["multipart without its parts", "--x\r\nnothing", "multipart/form-data; boundary=x"],
  ["multipart without its boundary", "--x--", "multipart/form-data"],
])("%s is no form: the page that says so, not a failure of ours", async (_, body, type) => {
  await expect(readForm(sent(body, type))).rejects.toMatchObject({
    data: { code: "form_unreadable" },
    init: { status: 400 },
  });
});

test("a form has a mebibyte at most", async () => {
  const most = `a=${"x".repeat(MEBIBYTE - 2)}`;
  expect((await readForm(sent(most, URLENCODED))).raw("a")).toHaveLength(MEBIBYTE - 2);
  await expect(readForm(sent(`${most}x`, URLENCODED))).rejects.toMatchObject({
    data: { code: "form_too_large" },
    init: { status: 413 },
  });
});
