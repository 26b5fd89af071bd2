import type net from "node:net";
import type { Member } from "../catalog/operations.js";
import type { Image } from "../meta/image.js";
import type { Entry } from "../meta/journal.js";

/** What FEs say to each other on the edit log port: a line of JSON each. */
export type Message =
  /** First word of a caller. `member` is absent for the admin tool. */
  | { readonly m: "hello"; readonly group: string; readonly member?: Member; readonly clock: number }
  | { readonly m: "welcome"; readonly leader?: Member; readonly isLeader: boolean; readonly known: boolean }
  | { readonly m: "refused"; readonly reason: "clock" | "group" | "conflict"; readonly text: string }
  | { readonly m: "join"; readonly member: Member }
  | { readonly m: "joined"; readonly ok: boolean; readonly leader?: Member }
  | {
      readonly m: "vote";
      readonly trial: boolean;
      readonly term: number;
      readonly lastIndex: number;
      readonly lastTerm: number;
      readonly handedOver: boolean;
    }
  | { readonly m: "voted"; readonly trial: boolean; readonly term: number; readonly granted: boolean }
  | {
      readonly m: "append";
      readonly term: number;
      readonly leader: Member;
      readonly previous: number;
      readonly previousTerm: number;
      readonly entries: readonly Entry[];
      readonly commit: number;
    }
  | { readonly m: "restore"; readonly term: number; readonly leader: Member; readonly image: Image }
  | { readonly m: "appended"; readonly term: number; readonly ok: boolean; readonly last: number }
  | { readonly m: "removed" }
  | { readonly m: "takeOver" }
  | { readonly m: "transferMaster"; readonly name: string; readonly timeoutMs: number }
  | { readonly m: "transferred"; readonly name?: string; readonly error?: string };

export const groupName = "PALO_JOURNAL_GROUP";

export const send = (socket: net.Socket, message: Message): void => {
  if (!socket.destroyed) {
    socket.write(`${JSON.stringify(message)}\n`);
  }
};

/** Calls `handle` for each whole line; a peer that talks otherwise is cut off. */
export const onMessages = (socket: net.Socket, handle: (message: Message) => void): void => {
  let rest = "";
  socket.setEncoding("utf8");
  socket.setNoDelay(true);
  socket.on("data", (chunk) => {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      let message: Message;
      try {
        message = JSON.parse(line);
      } catch {
        socket.destroy();
        return;
      }
      handle(message);
    }
  });
};
