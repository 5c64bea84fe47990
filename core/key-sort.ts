/** What a list of keys can be sorted by, beside when they were made: that is the order of their ids. */
const PROPERTIES = ["name", "expires", "last_used", "use"] as const;
export type KeyProperty = (typeof PROPERTIES)[number];

/** A property, with a minus sign before it where it falls. */
export type KeySort = `${"" | "-"}${"created" | KeyProperty}`;

export const KEY_SORTS: readonly [KeySort, ...KeySort[]] = [
  "-created",
  "created",
  ...PROPERTIES.flatMap((by): KeySort[] => [by, `-${by}`]),
];

export const NEWEST_FIRST: KeySort = "-created";

/** What a sort is by, and which way. */
export function readSort(sort: KeySort): {
  readonly by: "created" | KeyProperty;
  readonly isDescending: boolean;
} {
  const isDescending = sort.startsWith("-");
  return { by: (isDescending ? sort.slice(1) : sort) as "created" | KeyProperty, isDescending };
}
