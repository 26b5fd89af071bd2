import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { defaultPolicy } from "../../../../provider/plan/policy.js";
import type { BeSpec } from "../../../../provider/plan/spec.js";
import { inspectHosts } from "../../../../provider/resources/preflight/inspect.js";
import { BeBench } from "../node/bench.js";

describe("the look at the hosts", function () {
  this.timeout(60_000);
  let bench: BeBench;
  beforeEach(() => {
    bench = new BeBench();
  });
  afterEach(() => bench.close());

  const inspect = (spec: BeSpec): Promise<void> =>
    inspectHosts(
      {
        cluster: spec.cluster,
        release: spec.release,
        maxUnavailable: 1,
        policy: defaultPolicy,
        nodes: [bench.context(spec)],
        position: 0,
        urn: undefined,
        clusterUrn: undefined,
      },
      () => undefined,
    );

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
});
