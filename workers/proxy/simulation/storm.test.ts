import { describe, expect, test } from "vitest";
import { decodeNotice } from "@relaykey/core/notice";
import { MAX_OPEN } from "../objects/pending.ts";
import { Bench } from "./confirmation/bench.ts";
import { personsKey } from "./confirmation/keys.ts";

const HOME = "203.0.113.1";
const CAFE = "198.51.100.1";
const MINUTE = 60_000;

/** A holder whose key was used at home, where its provider is AS 64500. */
async function holderAtHome(): Promise<Bench> {
  const bench = new Bench();
  await bench.holder.apply(personsKey(1));
  expect(bench.ask(HOME, 64_500).block).toBeNull();
  return bench;
}

/** The address with this number, of those that an attacker calls from. */
function attacker(index: number): string {
  return `10.${String(index >> 16)}.${String((index >> 8) & 255)}.${String(index & 255)}`;
}

function mailsOf(bench: Bench): string[] {
  return bench
    .takeMessages()
    .filter(({ queue }) => queue === "mail")
    .map(({ body }) => String(body["pendingId"]));
}

describe("10,000 addresses call with a leaked key", () => {
  test("a handful of mails, one alarm, bounded storage; home goes on working", async () => {
    const bench = await holderAtHome();
    bench.takeMessages();
    for (let index = 0; index < 10_000; index += 1) {
      bench.now += 30;
      expect(bench.ask(attacker(index)).block).toBe("ip_unconfirmed");
      if (index % 1_000 === 0) expect(bench.ask(HOME, 64_500).block).toBeNull();
      expect(bench.store.pending().length).toBeLessThanOrEqual(2 * MAX_OPEN);
    }
    const messages = bench.takeMessages();
    const mails = messages.filter(({ queue }) => queue === "mail");
    expect(mails.length).toBeGreaterThan(0);
    expect(mails.length).toBeLessThanOrEqual(5);
    const notices = messages.filter(({ queue }) => queue === "notice");
    const types = notices.map(({ body }) => decodeNotice(JSON.stringify(body))?.type);
    expect(types.filter((type) => type === "holder.confirmation_storm")).toHaveLength(1);
    expect(types.filter((type) => type === "holder.network_pending")).toHaveLength(mails.length);
    const { pending, storm } = bench.holder.networks.list();
    expect(pending.length).toBeLessThanOrEqual(MAX_OPEN);
    expect(storm?.networks).toBeGreaterThan(9_000);
  });

  test("who was mailed before the storm confirms in it; with the number, because it is one", async () => {
    const bench = await holderAtHome();
    const { number, mail } = bench.hint(CAFE);
    expect(mail).toBe("sent");
    const [pendingId = ""] = mailsOf(bench);
    for (let index = 0; index < 10_000; index += 1) bench.ask(attacker(index));
    const link = bench.mail(pendingId) ?? "";
    expect((await bench.holder.networks.confirm(link, null)).state).toBe("mismatch");
    expect((await bench.holder.networks.confirm(link, number)).state).toBe("confirmed_now");
    expect(bench.ask(CAFE).block).toBeNull();
  });

  test("a network of a provider that the holder uses is mailed about while the storm takes all other mails", async () => {
    const bench = await holderAtHome();
    for (let index = 0; index < 10_000; index += 1) bench.ask(attacker(index), 64_666);
    expect(bench.hint("203.0.113.99", 64_500)).toMatchObject({ mail: "sent" });
  });

  test("elsewhere, whoever goes on asking is mailed about as soon as mails can be sent again", async () => {
    const bench = await holderAtHome();
    for (let index = 0; index < 10_000; index += 1) bench.ask(attacker(index));
    mailsOf(bench);
    let sent = false;
    let next = 10_000;
    for (let minute = 0; minute < 30 && !sent; minute += 0.5) {
      bench.now += MINUTE / 2;
      // The attacker goes on as well, from ever new addresses.
      for (let count = 0; count < 100; count += 1) bench.ask(attacker((next += 1)));
      const wake = bench.holder.networks.nextWake();
      if (wake !== null && wake <= bench.now) bench.holder.networks.tick();
      sent = bench.hint(CAFE).mail === "sent";
    }
    expect(sent).toBe(true);
  });

  test("a storm of a day is some dozen mails", async () => {
    const bench = await holderAtHome();
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      bench.now += MINUTE;
      for (let count = 0; count < 7; count += 1) bench.ask(attacker(minute * 7 + count));
      bench.holder.networks.tick();
    }
    expect(mailsOf(bench).length).toBeLessThanOrEqual(25);
  });
});

test("a mailbox that nobody attacks gets its mail at once, a few new networks in a row as well", async () => {
  const bench = await holderAtHome();
  for (const [index, address] of [CAFE, "198.51.100.2", "198.51.100.3", "198.51.100.4"].entries()) {
    bench.now += MINUTE;
    expect(bench.hint(address).mail, String(index)).toBe("sent");
  }
  expect(new Set(mailsOf(bench)).size).toBe(4);
});

test("asking on does not mail again; who has a link can ask for a few", async () => {
  const bench = await holderAtHome();
  for (let count = 0; count < 100; count += 1) bench.hint(CAFE);
  const [pendingId = "", ...more] = mailsOf(bench);
  expect(more).toEqual([]);
  const link = bench.mail(pendingId) ?? "";
  const states = Array.from({ length: 10 }, () => bench.holder.networks.resend(link).state);
  expect(states.filter((state) => state === "sent")).toHaveLength(3);
  // Each of them is another mail, and so another link; the first one goes on working.
  const newest = bench.mail(pendingId) ?? "";
  expect(newest).not.toBe(link);
  expect((await bench.holder.networks.confirm(link, null)).state).toBe("confirmed_now");
  expect((await bench.holder.networks.confirm(newest, null)).state).toBe("confirmed");
});

test("an expired entry is asked for again with its old link, and is confirmed with the new one", async () => {
  const bench = await holderAtHome();
  bench.hint(CAFE);
  const [pendingId = ""] = mailsOf(bench);
  const old = bench.mail(pendingId) ?? "";
  bench.now += 15 * MINUTE;
  expect((await bench.holder.networks.confirm(old, null)).state).toBe("expired");
  expect(bench.mail(pendingId)).toBeNull();
  expect(bench.holder.networks.resend(old).state).toBe("sent");
  const fresh = bench.mail(pendingId) ?? "";
  expect((await bench.holder.networks.confirm(old, null)).state).toBe("expired");
  expect((await bench.holder.networks.confirm(fresh, null)).state).toBe("confirmed_now");
});

test("numbers of networks that wait at the same time differ", async () => {
  const bench = await holderAtHome();
  for (let index = 0; index < MAX_OPEN; index += 1) bench.ask(attacker(index));
  const numbers = bench.store.pending().map(({ number }) => number);
  expect(new Set(numbers).size).toBe(MAX_OPEN);
});
