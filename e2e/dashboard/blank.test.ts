import { beforeAll, describe, expect, inject, test } from "vitest";
import { BLANKS } from "./blank.ts";
import { fillExample } from "./example.ts";
import type { Example } from "./example.ts";
import { manifest, routeAt } from "./manifest.ts";
import { ENTRY_PAGES, NO_PAGES } from "./pages.ts";
import { signedIn } from "./people.ts";
import type { Person } from "./people.ts";

const { controlPlane } = inject("local");
let person: Person;
let foreign: Example;

beforeAll(async () => {
  person = await signedIn();
  foreign = await fillExample((await signedIn()).organizationId);
});

async function see(path: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${controlPlane}${path}`, { headers: { Cookie: person.cookie } });
  const text = (await answer.text()).replaceAll("&#x27;", "'").replaceAll(/<!--.*?-->/gs, "");
  return { status: answer.status, text };
}

const blanks = Object.entries(BLANKS);

describe("an organization that has just begun", () => {
  test.each(blanks.flatMap(([, blank]) => ("says" in blank ? [blank] : [])))(
    "is told at $path what that means or what comes next",
    async ({ path, says }) => {
      const { status, text } = await see(path);
      expect(status).toBe(200);
      expect(text).toContain(says);
    },
  );
});

describe("what is not there, or another organization's", () => {
  test.each(blanks.flatMap(([route, blank]) => ("missing" in blank ? [{ route, ...blank }] : [])))(
    "$route answers 404 to both, in the same words",
    async ({ missing }) => {
      for (const path of missing(foreign)) {
        const { status, text } = await see(path);
        expect(status, path).toBe(404);
        expect(text, path).toContain("There is no such thing in your organization");
      }
    },
  );
});

test("every page says what it shows while there is nothing to show", () => {
  const elsewhere = new Set<string | null>([
    ...NO_PAGES,
    "routes/shell",
    ...ENTRY_PAGES.map(({ path, visitor }) => routeAt(visitor === "invited" ? `${path}token` : path)),
  ]);
  const routes = Object.keys(manifest.routes).filter((id) => id.startsWith("routes/") && !elsewhere.has(id));
  expect(routes.filter((id) => !(id in BLANKS))).toEqual([]);
  for (const [route, blank] of blanks) if ("path" in blank) expect(routeAt(blank.path)).toBe(route);
});
