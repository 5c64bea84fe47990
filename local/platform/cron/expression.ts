/** A cron expression, ready to be asked. Times are UTC, as on Cloudflare. */
export interface Cron {
  matches(time: Date): boolean;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** Cloudflare counts weekdays from 1 = Sunday (developers.cloudflare.com/workers/configuration/cron-triggers). */
const FIELDS: readonly [Field, Field, Field, Field, Field] = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: MONTHS },
  { name: "day of week", min: 1, max: 7, names: WEEKDAYS },
];

/**
 * Reads five fields of numbers or names with `*`, lists, ranges and steps. Quartz's `L`, `W` and `#` are not known here.
 *
 * @throws RangeError saying which field cannot be read.
 */
export function parseCron(expression: string): Cron {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== FIELDS.length)
    throw new RangeError(`The cron expression "${expression}" must have five fields.`);
  const sets = FIELDS.map((field, index) => {
    const set = parseField(parts[index] ?? "", field);
    if (set === null)
      throw new RangeError(`The cron expression "${expression}" has an unreadable ${field.name}.`);
    return set;
  });
  const [minute, hour, day, month, weekday] = sets as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  const anyDay = parts[2] === "*";
  const anyWeekday = parts[4] === "*";
  return {
    matches(time) {
      const onDay = day.has(time.getUTCDate());
      const onWeekday = weekday.has(time.getUTCDay() + 1);
      // When both are restricted, either is enough (crontab(5)).
      const today = anyDay || anyWeekday ? onDay && onWeekday : onDay || onWeekday;
      return (
        today &&
        minute.has(time.getUTCMinutes()) &&
        hour.has(time.getUTCHours()) &&
        month.has(time.getUTCMonth() + 1)
      );
    },
  };
}

function parseField(text: string, field: Field): Set<number> | null {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const [range = "", stepText, ...rest] = item.split("/");
    const step = stepText === undefined ? 1 : parseNumber(stepText, 1, field.max);
    const bounds = parseRange(range, field, stepText !== undefined);
    if (rest.length > 0 || step === null || bounds === null) return null;
    for (let value = bounds[0]; value <= bounds[1]; value += step) values.add(value);
  }
  return values;
}

function parseRange(text: string, field: Field, stepped: boolean): [number, number] | null {
  if (text === "*") return [field.min, field.max];
  const [fromText = "", toText, ...rest] = text.split("-");
  const from = parseValue(fromText, field);
  const to = toText === undefined ? (stepped ? field.max : from) : parseValue(toText, field);
  return rest.length > 0 || from === null || to === null || from > to ? null : [from, to];
}

function parseValue(text: string, { min, max, names }: Field): number | null {
  const index = names?.indexOf(text.toUpperCase()) ?? -1;
  return index === -1 ? parseNumber(text, min, max) : index + min;
}

function parseNumber(text: string, min: number, max: number): number | null {
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : null;
}
