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

/**
 * The failure as the engine may have it. It prints the *value* of a property that it is told, secret or not
 * (`property connection value {map[… password:{hunter2} …]} has a problem`), so it is told none: the reason names the field.
 */
export const withoutProperty = ({ property, reason }: CheckFailure): CheckFailure => ({
  property: "",
  reason: property === "" ? reason : `${property}: ${reason}`,
});
