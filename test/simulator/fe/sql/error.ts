/** What a client gets as `ERROR <code> (<state>): <message>`. */
export class SqlError extends Error {
  readonly code: number;
  readonly state: string;

  constructor(message: string, code = 1064, state = "HY000") {
    super(message);
    this.code = code;
    this.state = state;
  }
}
