import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Project, releaseConfig, rootPassword } from "./project.js";

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Writes the environment of the project's engine as a file for shells, and gives the commands to play with. */
export const commandsOf = ({ current, frontends, next, stack }: Project): string => {
  const names = Object.keys(stack.env).filter(
    (name) => name === "PATH" || name.startsWith("PULUMI_") || name.startsWith("XDG_"),
  );
  const file = join(stack.folder, "env.sh");
  writeFileSync(file, names.map((name) => `export ${name}=${quote(stack.env[name] ?? "")}\n`).join(""));
  const [{ host, port } = { host: "", port: 0 }] = frontends;
  const config = (release: typeof current) => `pulumi config set release ${quote(releaseConfig(release))}`;
  return [
    "The cluster runs until you press Ctrl-C here; then everything of it is removed. In another terminal:",
    "",
    `  cd ${stack.folder} && . ./env.sh`,
    "  pulumi preview",
    ...(next ? [`  ${config(current)} && pulumi preview    # what going back would mean`] : []),
    "  pulumi up",
    "  pulumi destroy",
    `  mysql -h ${host} -P ${port} -u root -p${quote(rootPassword)} -e 'SHOW FRONTENDS; SHOW BACKENDS'`,
    "",
    "index.ts there is the program, Pulumi.lab.yaml its configuration.",
  ].join("\n");
};

/** Keeps the process, and with it the hosts' SSH servers, until Ctrl-C. */
export const untilInterrupted = (): Promise<void> =>
  new Promise((resolve) => {
    // A promise alone does not keep a process alive.
    const alive = setInterval(() => undefined, 60_000);
    process.once("SIGINT", () => {
      clearInterval(alive);
      resolve();
    });
  });
