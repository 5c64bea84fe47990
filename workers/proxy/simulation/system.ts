import { LeaseBook } from "../lease-book.ts";
import { Holder } from "../objects/holder.ts";
import { admit, decide } from "../steps/lease.ts";
import { watch } from "../watch.ts";
import { ForgetfulDirectory } from "./isolate.ts";
import type { Ask, IsolateParts } from "./isolate.ts";
import { REAL_PLATFORM } from "./platform.ts";
import type { MakeHolder, PlatformRules } from "./platform.ts";

/** The system under test: the real parts, or some of them replaced. */
export interface System extends IsolateParts {
  readonly makeHolder: MakeHolder;
  readonly platform: PlatformRules;
}

/** The code that ships. */
export const REAL: System = {
  makeDirectory: (kv, now) => new ForgetfulDirectory(kv, now),
  makeBook: (ask: Ask, directory, now) => new LeaseBook(ask, directory, now),
  makeHolder: (store, world) => new Holder(store, world),
  decide,
  admit,
  watch,
  afterCheckMs: 0,
  platform: REAL_PLATFORM,
};
