import { afterAll, beforeAll, expect, test } from "vitest";
import { unstorable } from "../stored-text.ts";
import { createWorld } from "./world.ts";
import type { Client, World } from "./world.ts";

let world: World;
let admin: Client;

beforeAll(async () => {
  world = await createWorld();
  ({ client: admin } = await world.organization());
}, 120_000);

afterAll(() => world.close());

test.each([
  ["text", "a name", []],
  ["other scripts, and pairs", "Ω 名 😀", []],
  ["NUL", "a\0b", ["body"]],
  ["half a pair", { name: "\ud83d" }, ["name"]],
  ["the other half", { name: "\ude00" }, ["name"]],
  ["deep down", { allow: ["GET /x", "GET /\0"], limits: { rate: "\ud800" } }, ["allow.1", "limits.rate"]],
  ["in a name", { bind: { "\0": "x" } }, ["bind"]],
  ["nothing", null, []],
])("%s", (_, value, fields) => {
  expect(unstorable(value).map(({ field }) => field)).toEqual(fields);
});

test.each(["\ud800", "a\0b", "\ud83d x"])("the API names the field that holds %j", async (name) => {
  const answer = await admin("POST", "/holders", JSON.stringify({ name, kind: "service" }));
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text)).toMatchObject({ code: "invalid_request", errors: [{ field: "name" }] });
});
