import { expect, test } from "vitest";
import { clientName } from "./client-name.ts";

test.each([
  [null, "Not named"],
  ["", "Not named"],
  ["curl/8.14.1", "curl 8.14.1"],
  ["OpenAI/JS 7.57.0", "OpenAI SDK for JavaScript 7.57.0"],
  ["AsyncOpenAI/Python 2.8.0", "OpenAI SDK for Python 2.8.0"],
  ["node", "Node.js"],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0",
    "Edge 150 on Windows",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
    "Safari 19 on iOS",
  ],
  ["rk/0.1.0", "rk 0.1.0"],
  ["my-tool/1.0", "my-tool/1.0"],
  ["x".repeat(300), `${"x".repeat(79)}…`],
])("the user agent %j is shown as %j", (userAgent, shown) => {
  expect(clientName(userAgent)).toBe(shown);
});
