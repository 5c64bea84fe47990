import { afterAll, expect, inject, test } from "vitest";
import { CATALOGUE } from "@relaykey/core/catalogue/index";
import { parseRule, placeholders } from "@relaykey/core/scope";
import { snippets } from "@relaykey/core/snippets";
import { Admin } from "../harness.ts";
import { Workplace } from "../shell.ts";

const admin = new Admin(inject("local"));
const { proxy } = admin.local;
const workplace = new Workplace();

afterAll(() => {
  workplace.leave();
});

/** What the demo vendor has, and what its SDK is installed for. */
const ENTRIES = CATALOGUE.filter(({ slug }) => !["grafana", "sendgrid"].includes(slug));

test.each(ENTRIES)("$name: what is shown for a new key reaches the vendor as it stands", async (entry) => {
  const allow = entry.presets[0]?.allow ?? [];
  const bindings = Object.fromEntries(
    placeholders(allow.map((path) => ({ methods: [], path }))).map((name) => [name, "x"]),
  );
  const key = await admin.createKey(entry.slug, allow, { bindings });
  const rules = allow.map((text) => {
    const parsed = parseRule(text);
    if (!parsed.ok) throw new Error(parsed.error);
    return parsed.rule;
  });
  const shown = snippets({ proxy, slug: entry.slug, entry, token: key.token, rules, bindings });
  const text = (id: string): string => shown.find((snippet) => snippet.id === id)?.text ?? "";
  workplace.save(`${entry.slug}.mjs`, text("node"));
  const { printed } = await workplace.run(
    `${text("env")}\nnode --unhandled-rejections=strict ${entry.slug}.mjs`,
  );
  expect(printed).not.toContain("SyntaxError");
  const [event] = await admin.events(key, 1);
  // What it asks for may not be there: that the vendor says.
  expect(event, printed).toMatchObject({ decision: "allowed", outcome: "completed" });
  expect(event?.upstream_status).not.toBe(401);
});
