import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { UserError } from "../../../../provider/error.js";
import type { Host } from "../../../../provider/host/types.js";
import { defaultPolicy } from "../../../../provider/plan/policy.js";
import type { BeSpec, NodeSpec } from "../../../../provider/plan/spec.js";
import type { NodeContext } from "../../../../provider/resources/node/context.js";
import { inspectHosts } from "../../../../provider/resources/preflight/inspect.js";
import { fe } from "../../plan/specs.js";
import { BeBench } from "../node/bench.js";

describe("the look at the hosts", function () {
  this.timeout(60_000);
  let bench: BeBench;
  beforeEach(() => {
    bench = new BeBench();
  });
  afterEach(() => bench.close());

  const inspectAll = (...nodes: readonly NodeContext[]): Promise<void> =>
    inspectHosts(
      {
        cluster: bench.run.cluster,
        release: { id: "3.5.7-bbbbbbbbbbbb", version: "3.5.7" },
        maxUnavailable: 1,
        policy: defaultPolicy,
        nodes,
        position: 0,
        urn: undefined,
        clusterUrn: undefined,
      },
      () => undefined,
    );
  const inspect = (spec: BeSpec): Promise<void> => inspectAll(bench.context(spec));

  it("finds that the port to which a running node is going to change is taken, and leaves its own be", async () => {
    const release = await bench.release("3.5.7");
    const config = { min_file_descriptor_number: "1024" };
    const old = bench.spec(release, { config });
    await bench.bring(undefined, old);
    await inspect(old);
    const changed = bench.spec(release, { config, ports: { ...old.ports, http: 8041 } });
    await inspect(changed);
    const other = createServer().listen(8041, bench.address);
    await once(other, "listening");
    try {
      await assert.rejects(
        inspect(changed),
        new RegExp(
          `^UserError: The pre-flight found .*\\nBE be-1 \\(be\\): port 8041 of ${bench.address} is taken by process ${process.pid} \\(.*\\) of .*; free it or give the node another port$`,
        ),
      );
    } finally {
      other.close();
    }
  });

  it("finds that the clocks of FE hosts are too far apart, be there a cluster yet or not; those of BEs join no group", async () => {
    const release = { id: "3.5.7-bbbbbbbbbbbb", version: "3.5.7" };
    const at = (seconds: number, spec: NodeSpec): NodeContext => {
      const host: Host = {
        ...bench.host,
        name: spec.address,
        run: async (command, options) => {
          if (command[0] !== "date") {
            return bench.host.run(command, options);
          }
          return { stdout: String(Date.now() / 1000 + seconds), stderr: "", code: 0 };
        },
      };
      return { ...bench.context(bench.spec(release)), host, spec };
    };
    const frontend = (index: number): NodeSpec =>
      fe({
        name: `fe-${index}`,
        address: `10.0.0.1${index}`,
        deployDir: bench.folder,
        role: index === 1 ? "leader" : "follower",
      });
    const problem = async (...offsets: readonly number[]): Promise<string | undefined> => {
      const nodes = offsets.map((seconds, index) => at(seconds, frontend(index + 1)));
      const { message } = await inspectAll(...nodes, at(3600, bench.spec(release))).then(
        () => assert.fail("It finds that no release is staged"),
        (error: UserError) => error,
      );
      return message.split("\n").find((line) => line.includes("clock"));
    };
    assert.equal(await problem(0, 4), undefined);
    assert.match(
      (await problem(0, -1, 12)) ?? "",
      /^The clock of FE fe-3 is 13 s ahead of that of FE fe-2; at most 5 s are allowed between any two nodes\. Against this machine's they are at \+1[12]\.\d s \(10\.0\.0\.13\) and -1\.\d s \(10\.0\.0\.12\)\. Set the clocks \(NTP\) first: FEs refuse/,
    );
  });

  it("finds that a home, where backups of the metadata may go too, cannot be made", async () => {
    const spec = fe({ address: "127.0.0.1", deployDir: bench.folder, metaDir: bench.folder, home: "/etc/passwd/fe" });
    await assert.rejects(
      inspectAll({ ...bench.context(bench.spec(spec.release)), spec }),
      /\nFE fe-1 \(be\): Expected user \S+ to be able to write \/etc\/passwd\/fe, but \/etc\/passwd is no folder\. Choose another path\.\n/,
    );
  });
});
