/** `3.5.7-0123456789ab`: the folder of a release on a host. */
export const releaseIdOf = (version: string, sha256: string): string => `${version}-${sha256.slice(0, 12)}`;

/** The version in the name of such a folder. */
export const versionOfId = (id: string): string => id.split("-").slice(0, -1).join("-");
