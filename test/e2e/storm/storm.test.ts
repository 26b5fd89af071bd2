import assert from "node:assert/strict";
import { namespacesPossible } from "../../fleet/fleet.js";
import { endOperators } from "./handlers-driver.js";
import { describePlan, planOf } from "./plan.js";
import { Site, type Way } from "./site.js";
import { isWell, play } from "./story.js";

/** What fits beside the other suites; `npm run storm` plays as many as one likes. */
const shares: readonly { readonly way: Way; readonly kind: "loopback" | "namespaces"; readonly seeds: number }[] = [
  { way: "handlers", kind: "loopback", seeds: 16 },
  { way: "engine", kind: namespacesPossible() === undefined ? "namespaces" : "loopback", seeds: 2 },
];

for (const { kind, seeds, way } of shares) {
  describe(`a storm over clusters, through the ${way}, on ${kind}`, () => {
    let site: Site;

    before(async () => {
      site = await Site.create(kind);
    });
    after(async () => {
      endOperators();
      await site?.close();
    });

    for (let seed = 1; seed <= seeds; seed++) {
      const plan = planOf(seed);
      it(`seed ${seed}: ${describePlan(plan)}`, async () => {
        const verdict = await play(plan, site, way);
        assert.ok(isWell(verdict), verdict.log.join("\n"));
      });
    }
  });
}
