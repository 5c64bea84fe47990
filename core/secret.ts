const MARK = "[secret]";

/**
 * A text that must not leave by accident. Every way in which JavaScript turns an object into text (template strings,
 * JSON, Node's inspect, an enumeration of its fields) shows a mark; only `reveal` gives the value.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The plaintext. Call it where the value is used, and keep the result in no variable that lives longer. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MARK;
  }

  toJSON(): string {
    return MARK;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return MARK;
  }
}
