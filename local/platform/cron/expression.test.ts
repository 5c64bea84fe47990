import fc from "fast-check";
import { expect, test } from "vitest";
import { parseCron } from "./expression.ts";

/** A field as text beside the values that it stands for, written down without parsing anything. */
interface ModelField {
  readonly text: string;
  readonly values: readonly number[];
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

function upTo(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

/** A number, or its name in any case where the field has names. */
function spelled(value: number, min: number, names: readonly string[]): fc.Arbitrary<string> {
  const name = names[value - min];
  const digits = [String(value), String(value).padStart(2, "0")];
  return fc.constantFrom(...digits, ...(name === undefined ? [] : [name, name.toLowerCase()]));
}

function field(min: number, max: number, names: readonly string[] = []): fc.Arbitrary<ModelField> {
  const number = fc.integer({ min, max });
  const step = fc.integer({ min: 1, max });
  const spell = (value: number): fc.Arbitrary<string> => spelled(value, min, names);
  const range = fc
    .tuple(number, number)
    .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const)
    .chain(([from, to]) =>
      fc.tuple(spell(from), spell(to)).map(([first, last]) => ({ from, to, text: `${first}-${last}` })),
    );
  const item = fc.oneof(
    number.chain((value) => spell(value).map((text) => ({ text, values: [value] }))),
    range.map(({ from, to, text }) => ({ text, values: upTo(from, to, 1) })),
    fc
      .tuple(range, step)
      .map(([{ from, to, text }, by]) => ({ text: `${text}/${String(by)}`, values: upTo(from, to, by) })),
    fc
      .tuple(number, step)
      .map(([from, by]) => ({ text: `${String(from)}/${String(by)}`, values: upTo(from, max, by) })),
    step.map((by) => ({ text: `*/${String(by)}`, values: upTo(min, max, by) })),
  );
  const list = fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => ({
    text: items.map(({ text }) => text).join(","),
    values: items.flatMap(({ values }) => values),
  }));
  return fc.oneof(list, fc.constant({ text: "*", values: upTo(min, max, 1) }));
}

const fields = fc.tuple(
  field(0, 59),
  field(0, 23),
  field(1, 31),
  field(1, 12, MONTHS),
  field(1, 7, WEEKDAYS),
);
const minutes = fc
  .date({ min: new Date("2024-01-01T00:00Z"), max: new Date("2032-01-01T00:00Z"), noInvalidDate: true })
  .map((date) => new Date(Math.floor(date.getTime() / 60_000) * 60_000));

function modelMatches(all: readonly ModelField[], time: Date): boolean {
  const [minute, hour, day, month, weekday] = all as [
    ModelField,
    ModelField,
    ModelField,
    ModelField,
    ModelField,
  ];
  const isDay = day.values.includes(time.getUTCDate());
  // The name of the day comes from another part of the language than the parser's number.
  const name = time.toUTCString().slice(0, 3).toUpperCase();
  const isWeekday = weekday.values.some((value) => WEEKDAYS[value - 1] === name);
  const eitherDay = day.text === "*" ? isWeekday : weekday.text === "*" ? isDay : isDay || isWeekday;
  return (
    eitherDay &&
    minute.values.includes(time.getUTCMinutes()) &&
    hour.values.includes(time.getUTCHours()) &&
    month.values.includes(time.getUTCMonth() + 1)
  );
}

test("an expression matches the minutes that a brute-force model of it names", () => {
  let due = 0;
  fc.assert(
    fc.property(fields, minutes, fc.boolean(), (all, random, hit) => {
      const [minute, hour, , month] = all;
      // A random minute is hardly ever due: half of the runs move into the three fields that can be set freely.
      const time = new Date(random);
      if (hit) {
        time.setUTCMonth((month.values[0] ?? 1) - 1, Math.min(time.getUTCDate(), 28));
        time.setUTCHours(hour.values[0] ?? 0, minute.values[0] ?? 0);
      }
      const expression = all.map(({ text }) => text).join(" ");
      const isDue = modelMatches(all, time);
      expect(parseCron(expression).matches(time)).toBe(isDue);
      if (isDue) due += 1;
    }),
    { numRuns: 3_000 },
  );
  // Both answers were compared, many times.
  expect(due).toBeGreaterThan(300);
  expect(due).toBeLessThan(2_700);
});

test.each([
  ["17 0 * * *", ["2026-11-24T00:17Z"], ["2026-11-24T00:16Z", "2026-11-24T01:17Z"]],
  ["0 12 1 * *", ["2026-12-01T12:00Z"], ["2026-12-02T12:00Z"]],
  // Cloudflare's weeks start at 1, with Sunday: 22 November 2026 is one.
  ["0 0 * * 1", ["2026-11-22T00:00Z"], ["2026-11-23T00:00Z"]],
  ["0 0 * * SUN", ["2026-11-22T00:00Z"], ["2026-11-21T00:00Z"]],
  ["0 0 * * 7", ["2026-11-21T00:00Z"], ["2026-11-22T00:00Z"]],
  ["0 0 * * mon-fri", ["2026-11-23T00:00Z", "2026-11-27T00:00Z"], ["2026-11-22T00:00Z", "2026-11-28T00:00Z"]],
  // Two restricted days: either is enough.
  ["0 0 13 * FRI", ["2026-11-13T00:00Z", "2026-11-27T00:00Z", "2026-12-13T00:00Z"], ["2026-11-26T00:00Z"]],
  ["0 0 29 2 *", ["2028-02-29T00:00Z"], ["2027-03-01T00:00Z"]],
  ["5/20 * * * *", ["2026-11-24T00:05Z", "2026-11-24T00:45Z"], ["2026-11-24T00:00Z", "2026-11-24T00:20Z"]],
  ["  0\t0  * * *  ", ["2026-11-24T00:00Z"], ["2026-11-24T00:01Z"]],
])("%s is read as its author means it", (expression, due, notDue) => {
  const cron = parseCron(expression);
  for (const time of due) expect(cron.matches(new Date(time)), time).toBe(true);
  for (const time of notDue) expect(cron.matches(new Date(time)), time).toBe(false);
});

test.each([
  ["", "five fields"],
  ["* * * *", "five fields"],
  ["* * * * * *", "five fields"],
  ["@daily", "five fields"],
  ["60 * * * *", "minute"],
  ["-1 * * * *", "minute"],
  ["1.5 * * * *", "minute"],
  ["1,,2 * * * *", "minute"],
  ["1, * * * *", "minute"],
  ["5- * * * *", "minute"],
  ["9-5 * * * *", "minute"],
  ["1-2-3 * * * *", "minute"],
  ["*/0 * * * *", "minute"],
  ["*/ * * * *", "minute"],
  ["1/2/3 * * * *", "minute"],
  ["*-5 * * * *", "minute"],
  ["0x1 * * * *", "minute"],
  ["٣ * * * *", "minute"],
  ["JAN * * * *", "minute"],
  ["* 24 * * *", "hour"],
  ["* * 0 * *", "day of month"],
  ["* * 32 * *", "day of month"],
  ["* * L * *", "day of month"],
  ["* * ? * *", "day of month"],
  ["* * * 13 *", "month"],
  ["* * * JANUARY *", "month"],
  ["* * * MON *", "month"],
  ["* * * * 0", "day of week"],
  ["* * * * 8", "day of week"],
  ["* * * * FRI#2", "day of week"],
])("%s is refused, and the sentence names the expression and the %s", (expression, complaint) => {
  const parse = (): unknown => parseCron(expression);
  expect(parse).toThrow(RangeError);
  expect(parse).toThrow(`"${expression}"`);
  expect(parse).toThrow(complaint);
});

test("no text makes the parser do anything but read it or refuse it", () => {
  const alphabet = [
    "0",
    "1",
    "2",
    "7",
    "31",
    "59",
    "60",
    "*",
    "/",
    "-",
    ",",
    " ",
    "MON",
    "JAN",
    "L",
    "?",
    "#",
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...alphabet), { maxLength: 30 }), (characters) => {
      const parts = characters.join("");
      for (const expression of [parts, `${parts} * * * *`, `* * * * ${parts}`]) {
        try {
          parseCron(expression).matches(new Date(0));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
