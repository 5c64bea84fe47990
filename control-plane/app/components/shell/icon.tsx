/** Outlines on a grid of 24, drawn for this project. */
const PATHS = {
  overview: "M4 13h6V4H4v9Zm0 7h6v-4H4v4Zm10 0h6v-9h-6v9Zm0-16v4h6V4h-6Z",
  key: "M9 14a4.5 4.5 0 1 1 3.6-7.2L20 6.8V10h-2v2.2h-3V10h-2.1A4.5 4.5 0 0 1 9 14Zm-.8-4.5h.01",
  plug: "M9 3v5m6-5v5M6.5 8h11v3.5a5.5 5.5 0 0 1-11 0V8ZM12 17v4",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6 9c0-3.6 2.6-6 6-6s6 2.4 6 6M16 4.4a3.5 3.5 0 0 1 0 6.2m2 4c1.9.9 3 2.8 3 5.4",
  list: "M8.5 6H20M8.5 12H20M8.5 18H20M4 6h.01M4 12h.01M4 18h.01",
  history: "M4 5v4.5h4.5M4.6 9A8 8 0 1 1 4 13.5M12 8v4.5l3 2",
  settings:
    "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Zm-7 10a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  bell: "M6.5 16V11a5.5 5.5 0 0 1 11 0v5l1.5 2H5l1.5-2ZM10 20.5h4",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Zm5-1.5L20 20",
  menu: "M4 7h16M4 12h16M4 17h16",
  book: "M5 5.5A1.5 1.5 0 0 1 6.5 4H19v13H6.5A1.5 1.5 0 0 0 5 18.5v-13Zm0 13A1.5 1.5 0 0 0 6.5 20H19v-3",
  shield: "M12 3.5 5 6v5.5c0 4.3 2.9 7.6 7 9 4.1-1.4 7-4.7 7-9V6l-7-2.5Zm-3 8.6 2.2 2.2 4-4.4",
  leave: "M10 5H5v14h5m4.5-3.5L18 12l-3.5-3.5M18 12H9",
  chevron: "m8 10 4 4 4-4",
} as const;

export type IconName = keyof typeof PATHS;

/** Beside a word that says the same. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width="20"
      height="20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className="shrink-0"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
