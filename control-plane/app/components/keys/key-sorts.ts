import type { KeySort } from "@relaykey/core/key-sort";

/** How a list of keys can be sorted, in words; the one it has by itself is first. */
export const SORT_WORDS: Readonly<Record<KeySort, string>> = {
  "-created": "Newest first",
  created: "Oldest first",
  name: "Name, A to Z",
  "-name": "Name, Z to A",
  "-last_used": "Used last",
  last_used: "Not used for longest",
  "-use": "Used most, last 7 days",
  use: "Used least, last 7 days",
  expires: "Expires first",
  "-expires": "Expires last",
};

/** A heading's link: sorts by its column, and the other way round when the list is sorted by it. */
export interface HeadingSort {
  readonly to: string;
  readonly direction: "ascending" | "descending" | null;
}

/** The two ways of a column; the first one is what people mean when they choose it. */
const OF_COLUMN = {
  Key: ["name", "-name"],
  "Last 7 days": ["-use", "use"],
  "Last use": ["-last_used", "last_used"],
  Expires: ["expires", "-expires"],
} as const satisfies Readonly<Record<string, readonly [KeySort, KeySort]>>;

/** What the heading of a column does, in a list that is sorted so at an address; null where it sorts nothing. */
export function headingSort(heading: string, sort: KeySort, search: string): HeadingSort | null {
  if (!Object.hasOwn(OF_COLUMN, heading)) return null;
  const [first, second] = OF_COLUMN[heading as keyof typeof OF_COLUMN];
  const query = new URLSearchParams(search);
  query.delete("cursor");
  query.set("sort", sort === first ? second : first);
  const isSorted = sort === first || sort === second;
  return {
    to: `?${query.toString()}`,
    direction: !isSorted ? null : sort.startsWith("-") ? "descending" : "ascending",
  };
}
