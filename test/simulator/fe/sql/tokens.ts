import { SqlError } from "./error.js";

interface Token {
  readonly kind: "word" | "string" | "number" | "symbol";
  readonly text: string;
}

const pattern =
  /\s+|--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/|'((?:[^'\\]|\\.|'')*)'|"((?:[^"\\]|\\.|"")*)"|`([^`]*)`|(-?\d+(?:\.\d+)?)(?![\w])|(@{0,2}[\p{L}_$][\w$.]*(?<!\.)|\w+)|(!=|<>|<=|>=|:=|[^\s\w])/guy;

const unquote = (text: string): string =>
  text.replace(/\\(.)|''|""/gs, (whole, char: string | undefined) => {
    if (char === undefined) {
      return whole.charAt(0);
    }
    return { n: "\n", t: "\t", r: "\r", "0": "\0" }[char] ?? char;
  });

const tokenize = (sql: string): Token[] => {
  const tokens: Token[] = [];
  for (const [, single, double, quoted, number, word, symbol] of sql.matchAll(pattern)) {
    if (single !== undefined || double !== undefined) {
      tokens.push({ kind: "string", text: unquote(single ?? double ?? "") });
    } else if (quoted !== undefined) {
      tokens.push({ kind: "word", text: quoted });
    } else if (number !== undefined) {
      tokens.push({ kind: "number", text: number });
    } else if (word?.startsWith("@")) {
      tokens.push({ kind: "word", text: word });
    } else if (word !== undefined) {
      // `db.table` is three tokens, as `db`.`table` is.
      word.split(".").forEach((part, index) => {
        if (index > 0) {
          tokens.push({ kind: "symbol", text: "." });
        }
        tokens.push({ kind: "word", text: part });
      });
    } else if (symbol !== undefined) {
      tokens.push({ kind: "symbol", text: symbol });
    }
  }
  while (tokens.at(-1)?.text === ";" && tokens.at(-1)?.kind === "symbol") {
    tokens.pop();
  }
  return tokens;
};

/** A statement's words, read from left to right. */
export class Tokens {
  readonly #tokens: readonly Token[];
  #position = 0;

  readonly sql: string;

  constructor(sql: string) {
    this.sql = sql;
    this.#tokens = tokenize(sql);
  }

  get atEnd(): boolean {
    return this.#position >= this.#tokens.length;
  }

  /** Consumes these words or symbols if they come next. */
  accept(...words: readonly string[]): boolean {
    const fits = words.every((word, index) => {
      const token = this.#tokens[this.#position + index];
      return token !== undefined && token.kind !== "string" && token.text.toUpperCase() === word.toUpperCase();
    });
    if (fits) {
      this.#position += words.length;
    }
    return fits;
  }

  expect(...words: readonly string[]): void {
    for (const word of words) {
      if (!this.accept(word)) {
        throw this.error();
      }
    }
  }

  end(): void {
    if (!this.atEnd) {
      throw this.error();
    }
  }

  identifier(): string {
    const token = this.#next();
    if (token?.kind !== "word") {
      throw this.error(token);
    }
    return token.text;
  }

  /** `name` or `database.name`. */
  qualified(): { readonly database?: string; readonly name: string } {
    const first = this.identifier();
    return this.accept(".") ? { database: first, name: this.identifier() } : { name: first };
  }

  string(): string {
    const token = this.#next();
    if (token?.kind !== "string") {
      throw this.error(token);
    }
    return token.text;
  }

  /** A word, string or number, whatever it is. */
  anything(): string {
    const token = this.#next();
    if (token === undefined || token.kind === "symbol") {
      throw this.error(token);
    }
    return token.text;
  }

  value(): string | number | null {
    const token = this.#next();
    if (token?.kind === "string") {
      return token.text;
    }
    if (token?.kind === "number") {
      return Number(token.text);
    }
    if (token?.text.toUpperCase() === "NULL") {
      return null;
    }
    if (token?.text.toUpperCase() === "TRUE") {
      return 1;
    }
    if (token?.text.toUpperCase() === "FALSE") {
      return 0;
    }
    throw this.error(token);
  }

  integer(): number {
    const token = this.#next();
    if (token?.kind !== "number") {
      throw this.error(token);
    }
    return Number(token.text);
  }

  list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.accept(",")) {
      items.push(item());
    }
    return items;
  }

  /** `("key" = "value", …)` */
  properties(): Record<string, string> {
    this.expect("(");
    const pairs = this.list(() => {
      const key = this.anything();
      this.expect("=");
      return [key, this.anything()] as const;
    });
    this.expect(")");
    return Object.fromEntries(pairs);
  }

  /** Skips a parenthesis with everything in it. */
  skipParenthesis(): void {
    this.expect("(");
    for (let depth = 1; depth > 0; ) {
      const token = this.#next();
      if (token === undefined) {
        throw this.error();
      }
      if (token.kind === "symbol" && token.text === "(") {
        depth += 1;
      }
      if (token.kind === "symbol" && token.text === ")") {
        depth -= 1;
      }
    }
  }

  /** The next token's text, or `<EOF>`. */
  peek(): string {
    return this.#tokens[this.#position]?.text ?? "<EOF>";
  }

  get atLiteral(): boolean {
    const token = this.#tokens[this.#position];
    return token?.kind === "string" || token?.kind === "number" || /^(true|false|null)$/i.test(token?.text ?? "");
  }

  skip(): void {
    this.#position += 1;
  }

  error(at: Token | undefined = this.#tokens[this.#position]): SqlError {
    const input = at?.text ?? "<EOF>";
    return new SqlError(
      `Getting syntax error at line 1, column 0. Detail message: Unexpected input '${input}', the most similar input is {<EOF>, ';'}.`,
    );
  }

  #next(): Token | undefined {
    const token = this.#tokens[this.#position];
    this.#position += 1;
    return token;
  }
}
