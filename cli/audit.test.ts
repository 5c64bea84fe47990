import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { newId } from "@relaykey/core/ids";
import { RecordCutter } from "./audit/records.ts";
import { tail } from "./audit/tail.ts";
import { Failure } from "./failure.ts";
import { startRk } from "./test/process.ts";
import type { StartedRun } from "./test/process.ts";

describe("cutting a stream into records", () => {
  const cut = (chunks: readonly Uint8Array[], quoting: boolean): string[] => {
    const cutter = new RecordCutter(quoting);
    return chunks.flatMap((chunk) => cutter.push(chunk)).map((record) => record.toString("utf8"));
  };

  test("gives the same records however it was split, and no part of one", () => {
    const field = fc.string({ unit: fc.constantFrom("a", "é", '"', "\n", ",", "😀") });
    fc.assert(
      fc.property(fc.array(field), field, fc.array(fc.nat(200)), (fields, rest, cuts) => {
        const records = fields.map((text) => `"${text.replaceAll('"', '""')}"\r\n`);
        const bytes = Buffer.from(`${records.join("")}"${rest.replaceAll('"', '""')}`);
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(cut(chunks, true)).toEqual(records);
      }),
    );
  });

  test("a quote means nothing in lines of JSON", () => {
    expect(cut([Buffer.from('{"a":"\\""}\n{"b"'), Buffer.from(":1}\n{")], false)).toEqual([
      '{"a":"\\""}\n',
      '{"b":1}\n',
    ]);
  });
});

describe("an export", () => {
  let server: Server | null = null;
  const asked: URL[] = [];

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    asked.length = 0;
  });

  /** An API whose answers go wrong as the test wants. */
  async function serve(
    answer: (response: ServerResponse) => void,
  ): Promise<(args: readonly string[]) => StartedRun> {
    server = createServer((request, response) => {
      asked.push(new URL(request.url ?? "", "http://api"));
      answer(response);
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const env = { RELAYKEY_API_URL: url, RELAYKEY_MANAGEMENT_TOKEN: "a-token" };
    return (args) => startRk(["audit", "export", ...args], { cwd: tmpdir(), env });
  }

  const HEADINGS = "request_id,at\r\n";

  test.each([
    ["ndjson", "", (id: string) => `{"request_id":"${id}"}\n`],
    ["csv", HEADINGS, (id: string) => `${id},"a\nb"\r\n`],
  ])(
    "in %s that breaks off leaves whole events, and says where to go on",
    async (format, headings, record) => {
      const ids = [newId(), newId(), newId()];
      const rk = await serve((response) => {
        response.write(headings + ids.map(record).join("") + record(newId()).slice(0, 20));
        setTimeout(() => response.destroy(), 300);
      });
      const broken = await rk(["--format", format]).ended;
      expect(broken).toMatchObject({ code: 1, out: headings + ids.map(record).join("") });
      expect(broken.err).toContain(`broke off after 3 events: go on with --cursor ${ids[2] ?? ""}`);
      await rk(["--format", format, "--cursor", ids[2] ?? ""]).ended;
      expect(asked.at(-1)?.searchParams.get("cursor")).toBe(ids[2]);
      expect(asked.at(-1)?.searchParams.get("format")).toBe(format);
    },
  );

  test("that goes on repeats no headings", async () => {
    const rk = await serve((response) => response.end(`${HEADINGS}a,b\r\n`));
    expect(await rk(["--format", "csv", "--cursor", newId()]).ended).toMatchObject({
      code: 0,
      out: "a,b\r\n",
    });
  });

  test("that ends within an event is no whole one", async () => {
    const rk = await serve((response) => response.end('{"request_id":"a"}\n{"request'));
    const run = await rk([]).ended;
    expect(run).toMatchObject({ code: 1, out: '{"request_id":"a"}\n' });
    expect(run.err).toContain("after 1 event: go on with --cursor a");
  });

  test("that is refused says why", async () => {
    const rk = await serve((response) => {
      response.writeHead(403, { "Content-Type": "application/problem+json" });
      response.end(JSON.stringify({ title: "No", detail: "Ask an admin.", code: "role_insufficient" }));
    });
    expect(await rk([]).ended).toMatchObject({ code: 1, out: "", err: "rk: No. Ask an admin.\n" });
  });

  test("whose reader has enough ends without a word, and stops the API", async () => {
    let closed = false;
    const rk = await serve((response) => {
      response.on("close", () => (closed = true));
      const more = (): void => {
        if (!response.destroyed)
          response.write(`{"request_id":"${"x".repeat(10_000)}"}\n`, () => setImmediate(more));
      };
      more();
    });
    const run = rk([]);
    run.child.stdout?.once("data", () => run.child.stdout?.destroy());
    expect(await run.ended).toMatchObject({ code: 141, err: "" });
    await vi.waitFor(() => {
      expect(closed).toBe(true);
    });
  });
});

test("what happens while the API is away is in the log that is followed, once", async () => {
  vi.useFakeTimers();
  const began = Date.now();
  let isAway = false;
  const events: { request_id: string; at: string }[] = [];
  const lines: string[] = [];
  const from: number[] = [];
  const printer = { json: true, out: (line: string) => lines.push(line), err: () => undefined };
  const call = (_method: string, path: string): Promise<Record<string, unknown>> => {
    if (isAway) return Promise.reject(new Failure("It is away."));
    const since = Date.parse(new URLSearchParams(path.split("?")[1]).get("from") ?? "");
    from.push(since);
    const data = events.filter(({ at }) => Date.parse(at) >= since).toReversed();
    return Promise.resolve({ data, next_cursor: null });
  };
  const happen = () => events.push({ request_id: newId(), at: new Date().toISOString() });
  const following = tail({ printer, url: "", call, stream: () => expect.unreachable() }, {});
  try {
    happen();
    await vi.advanceTimersByTimeAsync(5_000);
    isAway = true;
    await vi.advanceTimersByTimeAsync(1_000);
    happen();
    await vi.advanceTimersByTimeAsync(600_000);
    isAway = false;
    happen();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines.map((line) => (JSON.parse(line) as { request_id: string }).request_id)).toEqual(
      events.map(({ request_id: id }) => id),
    );
    // It looks back a minute, not to the beginning.
    expect(from.at(-1)).toBeGreaterThan(began + 500_000);
  } finally {
    process.emit("SIGINT");
    await vi.advanceTimersByTimeAsync(60_000);
    await following;
    vi.useRealTimers();
  }
});
