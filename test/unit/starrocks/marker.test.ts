import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type HomeMarker,
  markerText,
  parseDataMarker,
  parseHomeMarker,
  readHomeMarker,
  writeHomeMarker,
} from "../../../provider/starrocks/marker.js";
import { type Bench, openBench } from "./toy.js";

describe("marker", () => {
  let bench: Bench;
  beforeEach(() => {
    bench = openBench();
  });
  afterEach(() => bench.clear());

  it("is read as it was written", async () => {
    const home = join(bench.folder, "fe");
    mkdirSync(home);
    const marker: HomeMarker = {
      schema: 1,
      cluster: "analytics",
      node: "fe-1",
      kind: "fe",
      founded: true,
      releases: [{ id: "3.5.7-0123456789ab", version: "3.5.7", at: "2026-11-22T20:00:00Z" }],
    };
    assert.equal(await readHomeMarker(bench.host, home, "fe"), undefined);
    await writeHomeMarker(bench.host, home, marker);
    assert.deepEqual(await readHomeMarker(bench.host, home, "fe"), marker);
  });

  it("of a first version needs only whose it is", () => {
    const marker = { schema: 1, cluster: "c", node: "n", kind: "be" } as const;
    assert.deepEqual(parseDataMarker(markerText(marker), "x"), marker);
    assert.deepEqual(parseHomeMarker(markerText(marker), "x"), { ...marker, releases: [] });
  });

  const broken: readonly (readonly [string, RegExp])[] = [
    ["{", /disk\/x should hold JSON: .* Restore it, or remove it/],
    ['{"schema":2}', /disk\/x was written by a newer pulumi-starrocks \(schema 2, this one knows 1\)/],
    ['{"schema":1,"cluster":"c"}', /disk\/x is not a marker of pulumi-starrocks:.*node/s],
  ];
  for (const [text, message] of broken) {
    it(`is refused when it is ${text}`, () => {
      assert.throws(() => parseHomeMarker(text, "disk/x"), message);
    });
  }
});
