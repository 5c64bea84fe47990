import type { Limits } from "@relaykey/core/limits";
import type { PolicyCache } from "./cache.ts";
import type { ChangeRecord, History } from "./history.ts";
import type { PlannedChange } from "./plan.ts";
import type { ObjectHome } from "./platform.ts";
import { KEY, snapshotText } from "./policies.ts";
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Attempts at one change; the control plane's cron would go on for ever. */
const MAX_ATTEMPTS = 5;
const GIVE_UP_MS = 12_000;

/** The control plane and `KeyControl` of control.ts: sends changes to the object, again when that failed, then fills KV. */
export class Admin {
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #history: History;
  readonly #home: ObjectHome;
  readonly #cache: PolicyCache;
  readonly #limits: Limits;
  readonly #onSent: () => void;
  readonly #onReturned: () => void;

  constructor(
    world: {
      readonly time: VirtualTime;
      readonly random: Random;
      readonly history: History;
      readonly home: ObjectHome;
      readonly cache: PolicyCache;
      readonly onSent: () => void;
      readonly onReturned: () => void;
    },
    limits: Limits,
  ) {
    this.#time = world.time;
    this.#random = world.random;
    this.#history = world.history;
    this.#home = world.home;
    this.#cache = world.cache;
    this.#limits = limits;
    this.#onSent = world.onSent;
    this.#onReturned = world.onReturned;
  }

  async change({ version, kind }: PlannedChange): Promise<void> {
    const record: ChangeRecord = {
      version,
      kind,
      invoked: this.#time.instant(),
      returned: null,
      returnedMs: null,
      receipt: null,
    };
    this.#history.changes.push(record);
    this.#onSent();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      try {
        const call = this.#home.call((holder) =>
          kind === "revoked"
            ? holder.revoke(KEY, version)
            : holder.apply(snapshotText(kind, version, this.#limits)),
        );
        const receipt = await Promise.race([call, this.#giveUp()]);
        record.returned = this.#time.instant();
        record.returnedMs = this.#time.now();
        record.receipt = receipt.version;
        this.#onReturned();
        await this.#fillCache();
        return;
      } catch {
        await this.#time.sleep(this.#random.ms(0, 1_500));
      }
    }
  }

  async #fillCache(): Promise<void> {
    if (this.#random.chance(0.1)) return;
    try {
      this.#cache.put(await this.#home.call((holder) => holder.snapshot(KEY.keyId)));
    } catch {
      // The change holds without it.
    }
  }

  async #giveUp(): Promise<never> {
    await this.#time.sleep(GIVE_UP_MS);
    throw new Error("The object did not answer.");
  }
}
