import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb.js";
import { engine } from "./client.js";

interface Entry {
  readonly severity: 1 | 2;
  readonly urn: string | undefined;
  readonly text: string;
  readonly ephemeral: boolean;
}

/** Best effort: a message that cannot be shown must not fail the work that it tells of. */
const send = (entry: Entry): Promise<void> =>
  new Promise((resolve) => {
    const connected = engine();
    if (!connected) {
      resolve();
      return;
    }
    const request = new LogRequest();
    request.setSeverity(entry.severity === 2 ? LogSeverity.WARNING : LogSeverity.INFO);
    request.setMessage(entry.text);
    request.setUrn(entry.urn ?? "");
    request.setEphemeral(entry.ephemeral);
    connected.log(request, () => resolve());
  });

/** A message that stays, under Diagnostics of the resource. */
export const tell = (urn: string | undefined, text: string): Promise<void> =>
  send({ severity: 1, urn, text, ephemeral: false });

/** A warning that stays, under Diagnostics of the resource. */
export const warn = (urn: string | undefined, text: string): Promise<void> =>
  send({ severity: 2, urn, text, ephemeral: false });

/** The shortest time between two progress texts of one row: a terminal shows no more, and each costs a call. */
const progressPause = 300;

/** Shows what is going on in the resource's own row; at most a few times a second, and the last text always. */
export const progressOf = (urn: string | undefined): ((text: string) => void) => {
  let last = 0;
  let shown = "";
  let next = "";
  let timer: NodeJS.Timeout | undefined;
  const show = (): void => {
    timer = undefined;
    if (next !== shown) {
      last = performance.now();
      shown = next;
      void send({ severity: 1, urn, text: next, ephemeral: true });
    }
  };
  return (text) => {
    next = text;
    const rest = last + progressPause - performance.now();
    if (last === 0 || rest <= 0) {
      clearTimeout(timer);
      show();
    } else {
      // What is waited for may not change again for an hour: it must not be the text that is left out.
      timer ??= setTimeout(show, rest).unref();
    }
  };
};
