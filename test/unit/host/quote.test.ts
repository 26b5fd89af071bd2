import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { UserError } from "../../../provider/error.js";
import { quote, quoteAll, quoteEnv } from "../../../provider/host/quote.js";

const words = [
  "",
  " ",
  "plain",
  "a b",
  "it's",
  "''",
  "'\\''",
  '"',
  "$HOME",
  "`id`",
  "$(id)",
  "a\nb\n",
  "\\",
  "\\n",
  "*",
  "~",
  "~root",
  "=ls",
  "a=b",
  "!!",
  "#no comment",
  "-n",
  "--",
  ";exit 1",
  "&",
  "|",
  "> /tmp/x",
  "{a,b}",
  "Zürich 東京 🦀",
  "\t\r\u0001\u007f",
];

describe("quote", () => {
  for (const shell of ["sh", "bash", "dash"]) {
    it(`gives every argument unchanged through ${shell}`, () => {
      const output = execFileSync(shell, ["-c", `printf '%s\\0' ${quoteAll(words)}`], { encoding: "utf8" });
      assert.deepEqual(output.split("\0").slice(0, -1), words);
    });
  }

  it("survives being quoted again, as a script within a command within a line is", () => {
    const inner = `printf '%s\\0' ${quoteAll(words)}`;
    const output = execFileSync("sh", ["-c", quoteAll(["bash", "-c", quoteAll(["bash", "-c", inner])])], {
      encoding: "utf8",
    });
    assert.deepEqual(output.split("\0").slice(0, -1), words);
  });

  it("leaves simple words as they are, so that messages can be read", () => {
    assert.equal(quoteAll(["tar", "-xzf", "/opt/a-1.2.tar.gz", "a b"]), "tar -xzf /opt/a-1.2.tar.gz 'a b'");
  });

  it("refuses NUL", () => {
    assert.throws(() => quote("a\0b"), UserError);
  });

  for (const name of ["", "1A", "A B", "A=B", "-i", "A;B", "Ä"]) {
    it(`refuses the variable name ${JSON.stringify(name)}`, () => {
      assert.throws(() => quoteEnv({ [name]: "x" }), /environment variable/);
    });
  }

  it("passes values of variables unchanged", () => {
    const output = execFileSync("sh", ["-c", `env ${quoteEnv({ A_1: "it's $HOME" })} printenv A_1`], {
      encoding: "utf8",
    });
    assert.equal(output, "it's $HOME\n");
  });
});
