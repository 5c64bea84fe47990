import type { LoaderFunctionArgs } from "@remix-run/cloudflare";
import { queryAuditEvents } from "../../service/audit.ts";
import { keyOf } from "../.server/key-page.ts";
import { showEvent } from "../.server/keys.ts";
import { enter, unwrap } from "../.server/page.ts";

/** The latest request of a key, for the page that waits for its first one. */
export async function loader(args: LoaderFunctionArgs) {
  const { deps, caller } = await enter(args, "audit.read");
  const { id } = await keyOf(deps, caller, args.params["key"]);
  const { entries } = unwrap(await queryAuditEvents(deps, caller, { keyId: id }, { limit: 1, cursor: null }));
  const [event] = entries;
  return { event: event === undefined ? null : showEvent(event) };
}
