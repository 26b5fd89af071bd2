import { Server } from "node:net";

/** The call with which an engine tells its plugins that the user wants to stop (Ctrl-C). */
const cancelPath = "/pulumirpc.ResourceProvider/Cancel";

type Headers = Readonly<Record<string, unknown>>;

/**
 * Calls `listener` when the engine tells of a Ctrl-C. Pulumi's dynamic provider answers that call and passes it on to
 * nobody, so the HTTP/2 server of this process is listened to. Where a later Node hides it, a Ctrl-C is not noticed: what
 * the engine has begun, waiting nodes too, is then done to its end.
 */
export const onCancel = (listener: () => void): void => {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles?: () => readonly unknown[] };
  for (const server of handles?.call(process) ?? []) {
    if (server instanceof Server) {
      server.on("stream", (_stream: unknown, headers: Headers) => {
        if (headers[":path"] === cancelPath) {
          listener();
        }
      });
    }
  }
};
