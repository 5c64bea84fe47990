import { expect } from "vitest";
import { API_ERRORS } from "../errors.ts";
import { errorsOf } from "../openapi.ts";
import type { Route } from "../route.ts";
import { ROUTES } from "../routes/index.ts";

/** The operation that a request addresses, if there is one. */
export function routeOf(method: string, path: string): Route | undefined {
  const segments = path.replace(/\?.*$/s, "").split("/");
  return ROUTES.find((route) => {
    const pattern = route.path.split("/");
    return (
      route.method === (method === "HEAD" ? "GET" : method) &&
      pattern.length === segments.length &&
      pattern.every((part, index) =>
        part.startsWith("{") ? segments[index] !== "" : part === segments[index],
      )
    );
  });
}

/** Every answer that a test sees has to be one that the document tells of: its status, its shape, its error code. */
export function expectDocumented(
  method: string,
  path: string,
  answer: { readonly status: number; readonly headers: Headers; readonly text: string },
): void {
  const route = routeOf(method, path);
  if (route === undefined) return;
  const name = `${method} ${path} answered ${String(answer.status)}: ${answer.text.slice(0, 500)}`;
  if (answer.status < 400) {
    expect(route.statuses, name).toContain(answer.status);
    if (route.answer === null) {
      expect(route.streams, name).toContain(answer.headers.get("Content-Type"));
    } else if (method !== "HEAD") {
      const checked = route.answer.safeParse(JSON.parse(answer.text));
      expect(checked.error?.issues ?? [], name).toEqual([]);
    }
    return;
  }
  if (method === "HEAD") return;
  const { code, status } = JSON.parse(answer.text) as { code: keyof typeof API_ERRORS; status: number };
  expect(answer.headers.get("Content-Type"), name).toBe("application/problem+json");
  expect(errorsOf(route), name).toContain(code);
  expect([status, API_ERRORS[code].status], name).toEqual([answer.status, answer.status]);
}
