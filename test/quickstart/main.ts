// npm run quickstart [-- --keep]: a cluster from nothing to its next version and away, on simulated hosts of this machine.

import { commandsOf, untilInterrupted } from "./keep.js";
import { createProject, type Project } from "./project.js";
import { jsonOf, tableOf } from "./report.js";
import { Storyteller } from "./story.js";

const heading = (text: string): void => {
  console.log(`\n━━ ${text} ━━\n`);
};

const introduce = ({ backends, current, fleet, frontends, next, real }: Project): void => {
  const where =
    fleet.kind === "namespaces"
      ? "namespaces of this machine with an sshd each"
      : "SSH servers on this machine's loopback";
  console.log(
    `${frontends.length} FE and ${backends} BE, each on a host of its own: ${where}, at ${[...new Set(fleet.addresses)].join(", ")}.`,
  );
  if (fleet.oneAddress) {
    console.log(
      "There is one address only, and StarRocks allows one FE on an address: so it is 1 FE, and one replica of each tablet.",
    );
  }
  console.log(
    real.length > 0
      ? `Real in this run: ${real.join(" and ")} of StarRocks ${current.version}. The rest is simulated.`
      : "StarRocks is simulated: real scripts, ports, protocols and elections, but no query engine; its clocks run fast.",
  );
  if (!next) {
    console.log("Without STARROCKS_ARCHIVE_NEXT there is no version to go to: the upgrade is left out.");
  }
};

/** Gives the exit code. */
const main = async (args: readonly string[]): Promise<number> => {
  const unknown = args.filter((arg) => arg !== "--keep");
  if (unknown.length > 0) {
    console.error(`Expected no argument, or --keep, got ${unknown.join(" ")}`);
    return 2;
  }
  if (process.platform !== "linux") {
    console.error(
      "The quickstart's hosts are this machine, and StarRocks' hosts are Linux: run it there, or in a container.",
    );
    return 2;
  }
  const project = await createProject((text) => process.stdout.write(text));
  try {
    introduce(project);
    const teller = new Storyteller(project, heading);
    if (await teller.deploy()) {
      await teller.repeat();
      await teller.upgrade();
      if (args.includes("--keep")) {
        heading("kept");
        console.log(commandsOf(project));
        await untilInterrupted();
      } else {
        await teller.destroy();
      }
    }
    heading("what happened");
    console.log(tableOf(teller.story));
    console.log(jsonOf(teller.story, project));
    return teller.story.broken.length === 0 ? 0 : 1;
  } finally {
    await project.close();
  }
};

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
