// The engine that is taken when the machine has none, and the oldest one that a machine may bring.

/** The release of the Pulumi CLI that is downloaded or built; the requirements in cli/go.mod say the same. */
export const release = "3.259.0";

/** The release that the language host is built from, the last one that shipped it inside the SDK's module. */
export const languageHostRelease = "3.66.0";

/** The oldest Pulumi CLI on PATH that is taken: the floor of @pulumi/pulumi, whose `read` returns inputs. */
export const oldestRelease = "3.216.0";

/** Real files in one folder: the CLI, what runs programs, and what runs dynamic providers. */
export const programs = /** @type {const} */ (["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"]);
