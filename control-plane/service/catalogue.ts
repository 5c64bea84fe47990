import { CATALOGUE } from "@relaykey/core/catalogue/index";
import type { CatalogueEntry } from "@relaykey/core/catalogue/index";
import { authorize } from "./authorization.ts";
import type { Caller } from "./caller.ts";
import { ok } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";

/** What is known of vendors. The same for everybody. */
export function showCatalogue(caller: Caller): Outcome<readonly CatalogueEntry[]> {
  const allowed = authorize(caller, "catalogue.read");
  return allowed.ok ? ok(CATALOGUE) : allowed;
}
