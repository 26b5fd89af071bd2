import assert from "node:assert/strict";
import { namespacesPossible } from "../fleet/possible.js";
import { tellFailure } from "../lab/failure.js";
import { Lab } from "../lab/lab.js";
import { told } from "../lab/told.js";

describe("a rehearsal on real hosts, by a login user that is not root", () => {
  let lab: Lab;
  before(async function () {
    if (namespacesPossible() !== undefined) {
      this.skip();
    }
    // Its run user has no sudo password; the only FE's host is where it has to be done.
    lab = await Lab.create({ kind: "namespaces", frontends: 1, backends: 1 });
    lab.declare(lab.args(await lab.release("3.4.10")));
    await lab.stack.up();
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  /** Rehearses a version alone; gives how it was isolated. */
  const rehearse = async (version: string): Promise<string> => {
    lab.declare(lab.args(await lab.release(version)));
    const outcome = await lab.stack.up(["--target", "**::sr-rehearsal"]);
    assert.match(
      told(outcome, "info")["sr-rehearsal"] ?? "",
      new RegExp(`rehearsal of StarRocks ${version} on \\S+ passed`),
    );
    const crimes = await lab.fleet.host("be1").exec("cat /opt/starrocks/be/log/sim-crimes.log 2>/dev/null");
    assert.equal(crimes.stdout, "", "the copy reached no BE");
    const left = await lab.fleet.host("fe1").exec("ls -d /opt/starrocks/rehearsal-* 2>/dev/null");
    assert.equal(left.stdout, "");
    return lab.journal().find(({ item, step }) => item === "rehearsal" && step === "isolate")?.detail ?? "";
  };

  it("takes a user namespace", async () => {
    assert.match(await rehearse("3.5.7"), /in a user namespace/);
  });

  it("takes sudo where there are no user namespaces, and runs the FE as the run user all the same", async () => {
    const noUserNamespaces =
      '#!/bin/bash\nif [ "$2" = -r ]; then echo "unshare: unshare failed: Operation not permitted" >&2; exit 1; fi\nexec /usr/bin/unshare "$@"\n';
    await lab.fleet.host("fe1").addProgram("unshare", noUserNamespaces);
    assert.match(await rehearse("4.0.1"), /by sudo/);
    const foreign = await lab.fleet.host("fe1").exec("find /opt/starrocks ! -user starrocks 2>/dev/null | head");
    assert.equal(foreign.stdout, "", "nothing on the host belongs to root");
  });
});

describe("a rehearsal on a host that is declared to have no route to the cluster", () => {
  let lab: Lab;
  before(async function () {
    if (namespacesPossible() !== undefined) {
      this.skip();
    }
    lab = await Lab.create({ kind: "namespaces", frontends: 1, backends: 1, spares: ["lone"] });
    lab.declare(lab.args(await lab.release("3.4.10")));
    await lab.stack.up();
    const refuses = "#!/bin/bash\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n";
    await lab.fleet.host("lone").addProgram("unshare", refuses);
    lab.declare(
      lab.args(await lab.release("3.5.7"), (args) => {
        args.rehearsal = { host: lab.fleet.host("lone").address, isolated: true };
      }),
    );
  });
  afterEach(tellFailure(() => lab));
  after(() => lab?.close());

  const alone = ["--target", "**::sr-rehearsal"];

  it("is refused where that is not so, naming every port that it reaches, before anything is copied", async () => {
    const outcome = await lab.stack.up(alone, { expectFailure: true });
    const error = told(outcome, "error")["sr-rehearsal"] ?? "";
    assert.match(error, /is declared as `isolated`, but it reaches the cluster: /);
    for (const name of ["fe1", "be1"]) {
      assert.ok(error.includes(`${lab.fleet.host(name).address}:`), error);
    }
    assert.match(error, /Nothing was started or copied/);
  });

  it("passes where it is so, and the copy reaches nobody", async () => {
    const lone = lab.fleet.host("lone");
    for (const name of ["fe1", "be1"]) {
      const { code, stderr } = await lone.exec(`ip route add unreachable ${lab.fleet.host(name).address}`);
      assert.equal(code, 0, stderr);
    }
    const outcome = await lab.stack.up(alone);
    assert.match(told(outcome, "info")["sr-rehearsal"] ?? "", /rehearsal of StarRocks 3\.5\.7 on \S+ passed/);
    const isolate = lab.journal().find(({ item, step }) => item === "rehearsal" && step === "isolate");
    assert.match(isolate?.detail ?? "", /^a host without a route to the cluster/);
    for (const name of ["fe1", "be1"]) {
      const crimes = await lab.fleet.host(name).exec("cat /opt/starrocks/*/log/sim-crimes.log 2>/dev/null");
      assert.equal(crimes.stdout, "", name);
    }
    const left = await lone.exec("ls -d /opt/starrocks/rehearsal-* 2>/dev/null; pgrep -af StarRocksFE");
    assert.equal(left.stdout, "");
  });
});
