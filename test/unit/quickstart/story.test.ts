import assert from "node:assert/strict";
import { closedPort } from "../../contract/program.js";
import type { Project } from "../../quickstart/project.js";
import { Storyteller } from "../../quickstart/story.js";

describe("the quickstart's upgrade", () => {
  /** A project of no hosts, whose FE nobody reaches, and whose operations end well at once. */
  const projectOf = async (real: readonly string[]): Promise<Project> => {
    const release = { version: "3.5.7", archive: "/a.tar.gz", sha256: "a".repeat(64) };
    return {
      current: release,
      next: { ...release, version: "3.5.8" },
      real,
      frontends: [{ host: "127.0.0.1", port: await closedPort() }],
      fleet: { hosts: [], addresses: [], oneAddress: false },
      stack: {
        setConfig: async () => undefined,
        start: () => ({ ended: Promise.resolve({ exitCode: 0, seconds: 1, events: [] }) }),
      },
    } as unknown as Project;
  };
  const upgraded = async (real: readonly string[]) => {
    const headings: string[] = [];
    const teller = new Storyteller(await projectOf(real), (text) => headings.push(text));
    await teller.upgrade();
    return { ...teller.story, headings };
  };

  it("has no client where only a part is real, as the parts do not speak of data with each other", async () => {
    const { broken, chapters, headings, workload } = await upgraded(["the FE"]);
    assert.deepEqual(broken, []);
    assert.equal(workload, undefined);
    assert.deepEqual(
      chapters.map(({ name }) => name),
      ["preview", "up"],
    );
    assert.match(headings.at(-1) ?? "", /no client, as only a part is real$/);
  });

  it("is told to its end where no client can write", async () => {
    const { broken, chapters } = await upgraded([]);
    assert.equal(broken.length, 1);
    assert.match(broken[0] ?? "", /^a client cannot write: .*ECONNREFUSED/);
    assert.deepEqual(
      chapters.map(({ name }) => name),
      ["preview", "up"],
    );
  });
});
