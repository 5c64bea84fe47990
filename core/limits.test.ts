import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, formatRate, parseDuration, parseRate } from "./limits.ts";

test.each([
  ["100/minute", 100, 60],
  ["5/10s", 5, 10],
  ["1000/h", 1_000, 3_600],
  ["1/day", 1, 86_400],
])("rate %s", (text, limit, windowSeconds) => {
  expect(parseRate(text)).toEqual({ limit, windowSeconds });
});

test.each(["", "0/minute", "-1/s", "1/", "/s", "1/0s", "1/week", "1.5/s", "1 / s", "99999999999/s", "1/40d"])(
  "%j is no rate",
  (text) => {
    expect(parseRate(text)).toBeNull();
  },
);

test.each([
  ["7d", 604_800_000],
  ["15m", 900_000],
  ["30s", 30_000],
  ["2h", 7_200_000],
  ["36500d", 3_153_600_000_000],
])("duration %s", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
  expect(formatDuration(ms)).toBe(text);
});

test.each(["", "0s", "7", "d", "7 d", "1w", "-1d", "1.5h", "36501d", "9999999d"])(
  "%j is no duration",
  (text) => {
    expect(parseDuration(text)).toBeNull();
  },
);

test("what is printed reads back", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e9 }),
      fc.integer({ min: 1, max: 31 * 86_400 }),
      (limit, windowSeconds) => {
        expect(parseRate(formatRate({ limit, windowSeconds }))).toEqual({ limit, windowSeconds });
        expect(parseDuration(formatDuration(windowSeconds * 1_000))).toBe(windowSeconds * 1_000);
      },
    ),
  );
});
