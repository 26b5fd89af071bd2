import { plain } from "./outputs.js";

/**
 * A create or update that failed after it touched something. The engine saves `properties` as the outputs and runs
 * `update` again on the next `up`. Only `reasons` reach the user, so the message is there too.
 */
export class PartialFailure extends Error {
  readonly id: string;
  readonly properties: Record<string, unknown>;
  readonly reasons: readonly string[];

  constructor(id: string, properties: object, cause: unknown) {
    const message = cause instanceof Error ? cause.message : String(cause);
    super(message, { cause });
    this.id = id;
    this.properties = plain(properties);
    this.reasons = [message];
  }
}

/** An input that `check` refuses, shown in preview with the field's name. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}
