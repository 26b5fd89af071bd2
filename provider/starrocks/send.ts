import { UserError } from "../error.js";
import { LimitError } from "../host/errors.js";
import type { Host, UploadOptions } from "../host/types.js";

/** Uploads a file of a release; what takes too long is told with the limits that a program sets. */
export const sendFile = async (
  host: Host,
  localPath: string,
  remotePath: string,
  options: UploadOptions & { readonly limit: number },
): Promise<void> => {
  try {
    await host.upload(localPath, remotePath, options);
  } catch (error) {
    if (error instanceof LimitError) {
      throw new UserError(
        `${error.message} Is the way to the host slow? \`limits.transfer\` bounds all of it, \`limits.command\` (or \`connection.commandLimit\`) a time in which nothing moves.`,
        { cause: error },
      );
    }
    throw error;
  }
};
