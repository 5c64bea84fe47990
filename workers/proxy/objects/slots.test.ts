import { expect, test } from "vitest";
import type { StoredSlots } from "./holder-store.ts";
import { allotSlots } from "./slots.ts";
import type { SlotGrant } from "./slots.ts";

interface Question {
  readonly number: number;
  readonly want: number;
  readonly flying: number;
  readonly keeps: number;
}

/** What a key with four slots answers one of its lessees. */
function ask(before: number | null, asked: number, others: number, question: Question): SlotGrant {
  const stored = (lessee: string, count: number, number: number): StoredSlots => ({
    keyId: "key_1",
    lessee,
    count,
    number,
    until: 5_000,
    incarnation: "one",
  });
  return allotSlots(
    { key: 4, holder: null },
    "key_1",
    others === 0 ? [] : [stored("other", others, 1)],
    before === null ? null : stored("own", before, asked),
    { lessee: "own", ...question },
    2_000,
    1_000,
  );
}

test("G7: slots are granted as far as the others leave some", () => {
  expect(ask(null, 0, 1, { number: 1, want: 9, flying: 0, keeps: 0 }).slots).toBe(3);
  const full = ask(null, 0, 4, { number: 1, want: 1, flying: 0, keeps: 0 });
  expect(full).toMatchObject({ slots: 0, isFull: true, held: null });
});

test("slots that a lessee does not keep are free for others, however hot it is", () => {
  expect(ask(4, 1, 0, { number: 2, want: 1, flying: 0, keeps: 1 }).held?.count).toBe(1);
});

test("G7: a question that was overtaken by a later one changes nothing, and grants nothing", () => {
  const late = ask(3, 2, 0, { number: 1, want: 2, flying: 1, keeps: 1 });
  expect(late).toMatchObject({ slots: 1, isFull: true });
  expect(late.held).toMatchObject({ count: 3, number: 2 });
});

test("G7: what is under way keeps its slot, whatever the caps have become", () => {
  expect(ask(6, 1, 3, { number: 2, want: 1, flying: 5, keeps: 5 })).toMatchObject({ slots: 5, isFull: true });
});
