/** `3.5.7-0123456789ab`: the folder of a release on a host. */
export const releaseIdOf = (version: string, sha256: string): string => `${version}-${sha256.slice(0, 12)}`;
