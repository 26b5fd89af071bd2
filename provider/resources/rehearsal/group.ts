import { messageOf, TransientError } from "../../error.js";
import { versionOfId } from "../../plan/release-id.js";
import type { Contact, Frontends } from "../../rollout/frontends.js";
import { holdsMetadata } from "../../starrocks/folders.js";
import { observeHome } from "../../starrocks/observe.js";

/** What an FE's host shows of it, whether the group answers or not. */
export interface FoundFrontend {
  readonly contact: Contact;
  readonly running: boolean;
  /** Whether there is metadata, or was: a disk that is not mounted shows none. */
  readonly hasRun: boolean;
  /** Versions that may have written its metadata: that on which it was proven last, and that of its current release. */
  readonly versions: readonly string[];
}

export interface FoundGroup {
  readonly frontends: readonly FoundFrontend[];
  /** Why a host could not be asked, one text for each. */
  readonly unseen: readonly string[];
}

/** Looks at the hosts of all declared FEs. */
export const lookAtGroup = async (frontends: Pick<Frontends, "contacts" | "hostOf">): Promise<FoundGroup> => {
  const found = await Promise.all(frontends.contacts.map((contact) => lookAt(frontends, contact)));
  return {
    frontends: found.filter((one) => typeof one !== "string"),
    unseen: found.filter((one) => typeof one === "string"),
  };
};

const lookAt = async (frontends: Pick<Frontends, "hostOf">, contact: Contact): Promise<FoundFrontend | string> => {
  try {
    const { home, metaDir } = contact;
    const host = frontends.hostOf(contact);
    const { current, data, marker, process } = await observeHome(host, { home, kind: "fe", dataFolders: [metaDir] });
    const proven = marker?.releases.at(-1)?.version;
    return {
      contact,
      running: process !== undefined,
      hasRun: process !== undefined || data.some(holdsMetadata) || (proven !== undefined && marker?.left === undefined),
      versions: [...new Set([proven, current && versionOfId(current)])].filter((version) => version !== undefined),
    };
  } catch (error) {
    if (!(error instanceof TransientError)) {
      throw error;
    }
    return `FE ${contact.name} could not be looked at: ${messageOf(error)}`;
  }
};

/** Those whose metadata, if it is there, another version may have written: of a cluster that was made elsewhere nothing is known. */
export const needing = (
  { frontends }: FoundGroup,
  needless: (version: string) => string | undefined,
): readonly FoundFrontend[] =>
  frontends.filter(
    ({ hasRun, versions }) => hasRun && (versions.length === 0 || versions.some((one) => needless(one) === undefined)),
  );
