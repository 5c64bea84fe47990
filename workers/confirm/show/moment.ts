const FORMAT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });

/** "24 Nov 2026, 14:05 UTC": the reader's time zone is not known where this is written. */
export function moment(at: number): string {
  return `${FORMAT.format(at)} UTC`;
}
