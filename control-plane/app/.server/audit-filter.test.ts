import { expect, test } from "vitest";
import { readAuditFilter } from "./audit-filter.ts";

const NOW = Date.parse("2026-11-24T12:00:00Z");

test.each([
  ["from=2026-11-23T00:00&to=2026-11-24T00:00", "2026-11-23T00:00:00.000Z", []],
  ["from=0000-01-01T00:00", "2026-11-23T12:00:00.000Z", ["from"]],
  ["to=0001-01-01T00:00", "2026-11-23T12:00:00.000Z", ["to"]],
  ["from=2026-13-01T00:00", "2026-11-23T12:00:00.000Z", ["from"]],
  ["from=yesterday", "2026-11-23T12:00:00.000Z", ["from"]],
])("%s begins at %s", (query, from, wrong) => {
  const { range, errors } = readAuditFilter(new URLSearchParams(query), NOW);
  expect(range.from.toISOString()).toBe(from);
  expect(errors.map(({ field }) => field)).toEqual(wrong);
});
