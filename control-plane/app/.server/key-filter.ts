import { KEY_SORTS, NEWEST_FIRST } from "@relaykey/core/key-sort";
import type { KeySort } from "@relaykey/core/key-sort";
import { readKeyCursor } from "../../service/key-order.ts";
import type { KeySelection } from "../../service/keys.ts";

const DAY_MS = 86_400_000;
export const UNUSED_DAYS = 30;
export const EXPIRING_DAYS = 7;

const STATES = ["active", "frozen", "revoked", "expiring", "unused", "pending"] as const;
type StateFilter = (typeof STATES)[number] | "";

/** What the list of keys is narrowed to, as its address says. */
export interface KeyListFilter {
  readonly q: string;
  readonly holder: string;
  readonly integration: string;
  readonly state: StateFilter;
}

export function readKeyFilter(query: URLSearchParams): KeyListFilter {
  return {
    q: query.get("q")?.trim() ?? "",
    holder: query.get("holder") ?? "",
    integration: query.get("integration") ?? "",
    state: STATES.find((state) => state === query.get("state")) ?? "",
  };
}

/** How the list is sorted, as its address says; what is none is newest first. */
export function readKeySort(query: URLSearchParams): KeySort {
  return KEY_SORTS.find((sort) => sort === query.get("sort")) ?? NEWEST_FIRST;
}

/** A cursor of this sort; what is none begins the list. */
export function readSortedCursor(query: URLSearchParams, sort: KeySort): string | null {
  const cursor = query.get("cursor");
  return cursor !== null && readKeyCursor(sort, cursor) !== null ? cursor : null;
}

/** The query that says the same; empty for all keys. */
export function writeKeyFilter(filter: KeyListFilter): string {
  return new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== "")).toString();
}

/** The keys that a filter means at a moment. */
export function selectKeys({ q, holder, integration, state }: KeyListFilter, now: number): KeySelection {
  return {
    ...(q === "" ? {} : { search: q }),
    ...(holder === "" ? {} : { holder }),
    ...(integration === "" ? {} : { integration }),
    ...stateSelection(state, now),
  };
}

function stateSelection(state: StateFilter, now: number): KeySelection {
  switch (state) {
    case "":
      return {};
    case "expiring":
      return { state: "active", expiresBefore: new Date(now + EXPIRING_DAYS * DAY_MS) };
    case "unused":
      return {
        state: "active",
        unusedSince: new Date(now - UNUSED_DAYS * DAY_MS),
        createdBefore: new Date(now - DAY_MS),
      };
    case "pending":
      return { enforced: false };
    case "active":
    case "frozen":
    case "revoked":
      return { state };
  }
}
