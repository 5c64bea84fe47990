import { data } from "@remix-run/cloudflare";
import { MISSING } from "../components/failure.ts";

/** Every address that is no page. */
export function loader() {
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is how a loader shows another page
  throw data(MISSING, { status: 404 });
}

export default function Missing() {
  return null;
}
