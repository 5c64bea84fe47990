import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readTrust } from "./trust.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MODEL = readFileSync(`${ROOT}docs/threat-model.md`, "utf8");

test("the threat model is read whole: attackers, controls with their tests, what is not defended", () => {
  const trust = readTrust(ROOT, MODEL);
  expect(trust.attackers.length).toBeGreaterThan(5);
  expect(trust.controls.length).toBeGreaterThan(6);
  expect(trust.controls.every(({ tests, document }) => tests.length > 0 && document.file !== "")).toBe(true);
  expect(trust.notDefended.every(({ title, text }) => title !== "" && !text.includes("\n"))).toBe(true);
  expect(trust.notDefended.length).toBe(
    MODEL.split("## What is not defended")[1]?.match(/^- \*\*/gm)?.length,
  );
});

describe("a claim that does not hold is named", () => {
  test.each([
    [
      "a test that was renamed",
      (text: string) => text.replace("not one request starts after revoke", "no request starts after revoke"),
      "has no test",
    ],
    [
      "a file that went away",
      (text: string) => text.replaceAll("e2e/revocation.test.ts", "e2e/gone.test.ts"),
      "has no test",
    ],
    [
      "a control without a test",
      (text: string) => text.replace("limits are exact (G7)", "limits are exact (G77)"),
      "no test is named",
    ],
    [
      "a document that is not there",
      (text: string) => text.replaceAll("](architecture.md)", "](nowhere.md)"),
      "does not exist",
    ],
    [
      "a section that was renamed",
      (text: string) => text.replace("## What is not defended", "## Limits"),
      "is empty",
    ],
  ])("%s", (_name, break_, message) => {
    expect(break_(MODEL)).not.toBe(MODEL);
    expect(() => readTrust(ROOT, break_(MODEL))).toThrow(message);
  });
});
