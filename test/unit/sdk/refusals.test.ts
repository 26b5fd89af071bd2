import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterArgs } from "../../../sdk/index.js";
import { args, clusterOf, sha256 } from "./program.js";

/** Arguments as a program in JavaScript could give them. */
const wrong = (changes: object): ClusterArgs => ({ ...args(), ...changes }) as ClusterArgs;

describe("what a Cluster refuses at once", () => {
  const { backends, frontends, release } = args();
  const cases: readonly { what: string; changes: object; message: RegExp }[] = [
    {
      what: "an unknown argument",
      changes: { relase: {} },
      message: /^Cluster: unknown argument `relase`; it has release, deployDir, /,
    },
    {
      what: "an unknown group argument",
      changes: { frontends: { ...frontends, port: {} } },
      message: /^frontends: unknown argument `port`/,
    },
    {
      what: "an unknown rollout argument",
      changes: { backends: { ...backends, rollout: { max: 2 } } },
      message: /^backends\.rollout: unknown argument `max`; it has maxUnavailable/,
    },
    {
      what: "an unknown release argument",
      changes: { release: { ...release, path: "x" } },
      message: /^release: unknown argument `path`; it has version, archive, url, sha256/,
    },
    {
      what: "an unknown argument of a node, by its place",
      changes: {
        backends: {
          nodes: [
            { host: "a", storage: ["/d"] },
            { host: "b", storages: ["/d"] },
          ],
        },
      },
      message: /^backends\.nodes\[1\]: unknown argument `storages`/,
    },
    {
      what: "an FE's argument on a BE",
      changes: { backends: { nodes: [{ host: "a", storage: ["/d"], metaDir: "/m" }] } },
      message: /^backends\.nodes\[0\]: unknown argument `metaDir`/,
    },
    { what: "no frontends", changes: { frontends: undefined }, message: /^frontends: must be given/ },
    { what: "no leader", changes: { frontends: { followers: [] } }, message: /^frontends\.leader: must be given/ },
    {
      what: "nodes that are no list",
      changes: { backends: { nodes: { host: "a" } } },
      message: /^backends\.nodes: must be a list/,
    },
    { what: "no BE", changes: { backends: { nodes: [] } }, message: /^backends\.nodes: wants at least one BE$/ },
    {
      what: "a node without a host",
      changes: { backends: { nodes: [{ storage: ["/d"] }] } },
      message: /^backends\.nodes\[0\]\.host: must be given$/,
    },
    {
      what: "a host with a port",
      changes: { backends: { nodes: [{ host: "be1:22", storage: ["/d"] }] } },
      message: /^backends\.nodes\[0\]\.host: must be an IP address or a DNS name, got `be1:22`$/,
    },
    {
      what: "an IPv4 address that is none",
      changes: { frontends: { leader: { host: "10.0.0.300", name: "fe-1" } } },
      message: /^frontends\.leader\.host: must be an IP address or a DNS name, got `10\.0\.0\.300`$/,
    },
    {
      what: "an IPv6 address without a name",
      changes: { frontends: { leader: { host: "::1" } } },
      message: /^frontends\.leader\.name: must be given, as `host` is an IPv6 address, which is no name$/,
    },
    {
      what: "an empty key",
      changes: { key: "" },
      message: /^key: must not be empty$/,
    },
    ...["false", "true", 1, null].map((rehearsal) => ({
      what: `${JSON.stringify(rehearsal)} for a rehearsal`,
      changes: { rehearsal },
      message: /^rehearsal: must be true, false or \{ host, memory, keep, isolated, limit \}, got `/,
    })),
    {
      what: "a host that is not known yet, without a name",
      changes: { frontends: { leader: { host: pulumi.output("10.0.0.11") } } },
      message: /^frontends\.leader\.name: must be given, as `host` is not a plain string/,
    },
    {
      what: "a url without its digest",
      changes: { release: { version: "3.5.7", url: "https://h/s.tar.gz" } },
      message: /^release\.sha256: must be given with `url`/,
    },
    {
      what: "neither archive nor url",
      changes: { release: { version: "3.5.7" } },
      message: /^release: wants either `archive` .* or `url`/,
    },
    {
      what: "both archive and url",
      changes: { release: { version: "3.5.7", sha256, archive: "a", url: "https://h/s" } },
      message: /^release: wants either `archive` .* or `url`/,
    },
    {
      what: "an archive that is not there",
      changes: { release: { version: "3.5.7", archive: "/nowhere/StarRocks.tar.gz" } },
      message: /^release\.archive: cannot be read: .*\/nowhere\/StarRocks\.tar\.gz/,
    },
    {
      what: "an overlay outside of the release",
      changes: { release: { ...release, overlay: { "../fe/lib/a.jar": { archive: "a", sha256 } } } },
      message: /^release\.overlay\["\.\.\/fe\/lib\/a\.jar"\]: must be the path of a file inside the release/,
    },
    {
      what: "an unknown argument of an overlay",
      changes: { release: { ...release, overlay: { "fe/lib/a.jar": { archive: "a", url: "b" } } } },
      message: /^release\.overlay\["fe\/lib\/a\.jar"\]: unknown argument `url`; it has archive, sha256, version/,
    },
    {
      what: "an overlay of another release",
      changes: { release: { ...release, overlay: { "fe/lib/a.jar": { archive: "a", sha256, version: "3.5.8" } } } },
      message: /^release\.overlay\["fe\/lib\/a\.jar"\]: has the version 3\.5\.8, which is no build of 3\.5\.7/,
    },
    {
      what: "an overlay without its file",
      changes: { release: { ...release, overlay: { "fe/lib/a.jar": { sha256 } } } },
      message: /^release\.overlay\["fe\/lib\/a\.jar"\]\.archive: must be given/,
    },
    {
      what: "an overlay file that is not there",
      changes: { release: { ...release, overlay: { "fe/lib/a.jar": { archive: "/nowhere/a.jar" } } } },
      message: /^release\.overlay\["fe\/lib\/a\.jar"\]\.archive: cannot be read: .*\/nowhere\/a\.jar/,
    },
  ];
  for (const { what, changes, message } of cases) {
    it(`${what}, by the argument at fault and without a stack`, async () => {
      await assert.rejects(clusterOf(wrong(changes)), (error: Error) => {
        assert.ok(pulumi.RunError.isInstance(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

describe("the digest of an archive", () => {
  it("is taken from the file, and changes with it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "pulumi-starrocks-"));
    const cache = process.env.XDG_CACHE_HOME;
    try {
      process.env.XDG_CACHE_HOME = folder;
      const archive = join(folder, "StarRocks-3.5.7.tar.gz");
      const digest = async () => {
        const all = await clusterOf({ release: { version: "3.5.7", archive } });
        const release = all.find(({ type }) => type.endsWith(":Release"))?.inputs.release;
        return (release as { readonly sha256?: string } | undefined)?.sha256;
      };
      writeFileSync(archive, "one");
      // printf one | sha256sum
      assert.equal(await digest(), "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
      assert.equal(await digest(), "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
      writeFileSync(archive, "other");
      assert.notEqual(await digest(), "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
    } finally {
      if (cache === undefined) {
        delete process.env.XDG_CACHE_HOME;
      } else {
        process.env.XDG_CACHE_HOME = cache;
      }
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
