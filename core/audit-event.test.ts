import fc from "fast-check";
import { expect, test } from "vitest";
import { clampAuditEvent, decodeAuditBatch, encodeAuditBatches } from "./audit-event.ts";
import type { AuditEvent } from "./audit-event.ts";
import { newId } from "./ids.ts";

function event(changes: Partial<AuditEvent> = {}): AuditEvent {
  return {
    v: 1,
    requestId: newId(),
    at: 1_700_000_000_000,
    organizationId: null,
    integrationId: null,
    integrationSlug: "openai",
    keyId: null,
    holderId: null,
    method: "GET",
    path: "/v1",
    query: null,
    decision: "blocked",
    reason: "token_unknown",
    outcome: "completed",
    status: 401,
    upstreamStatus: null,
    ip: null,
    userAgent: null,
    durationMs: 1,
    bytesIn: 0,
    bytesOut: 0,
    retentionDays: 7,
    droppedHeaders: [],
    ...changes,
  };
}

test("a batch round-trips, whatever stands in its texts", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" }), { maxLength: 5 }), (texts) => {
      const events = texts.map((text) => event({ path: text, userAgent: text }));
      expect(encodeAuditBatches(events).map(decodeAuditBatch)).toEqual(
        events.length === 0 ? [] : [{ events, rejected: [] }],
      );
    }),
  );
});

test("a malformed event does not take its neighbours with it", () => {
  const good = event();
  const bad = [{ ...good, extra: 1 }, { ...good, reason: "because" }, { ...good, requestId: "1" }, null];
  const decoded = decodeAuditBatch(JSON.stringify({ v: 1, events: [bad[0], good, ...bad.slice(1)] }));
  expect(decoded?.events).toEqual([good]);
  expect(decoded?.rejected.map(({ raw }) => JSON.parse(raw) as unknown)).toEqual(bad);
});

test.each(["", "[]", "{}", `{"v":2,"events":[]}`, `{"v":1,"events":{}}`, `{"v":1,"events":[],"x":1}`])(
  "%s is no batch",
  (text) => {
    expect(decodeAuditBatch(text)).toBeNull();
  },
);

test("batches stay under the limit in bytes, and lose and reorder nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 40 }), (sizes) => {
      const events = sizes.map((size) => event({ path: "漢".repeat(size) }));
      const messages = encodeAuditBatches(events, 4_000);
      const batches = messages.map((message) => decodeAuditBatch(message)?.events ?? []);
      expect(batches.flat()).toEqual(events);
      for (const [index, message] of messages.entries()) {
        const bytes = new TextEncoder().encode(message).length;
        expect(batches[index]?.length === 1 || bytes <= 4_000 + 100).toBe(true);
      }
    }),
  );
});

test("what a caller can make long is cut, with a mark", () => {
  const clamped = clampAuditEvent(event({ path: "a".repeat(10_000), userAgent: "b".repeat(10_000) }));
  expect(clamped.path).toHaveLength(2_048);
  expect(clamped.path.endsWith("…")).toBe(true);
  expect(clamped.userAgent).toHaveLength(512);
});
