import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Member } from "../catalog/operations.js";
import { sourceAddress } from "../settings/address.js";
import { type Message, onMessages, send } from "./messages.js";

const retryMs = 300;
const answerMs = 5000;

export interface Joining {
  readonly self: Member;
  readonly helper: { readonly host: string; readonly port: number };
  readonly hello: () => Message;
  readonly refused: (text: string) => void;
}

type Joined = Extract<Message, { m: "joined" }>;

const ask = ({ self, hello, refused }: Joining, { host, port }: Joining["helper"]): Promise<Joined> =>
  new Promise((resolve, reject) => {
    const localAddress = sourceAddress(self.host);
    const source = localAddress === undefined ? {} : { localAddress };
    const socket = net.connect({ host, port, ...source, timeout: answerMs });
    const end = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.on("error", end);
    socket.on("timeout", () => end(new Error("timed out")));
    socket.on("close", () => reject(new Error("closed")));
    socket.on("connect", () => {
      send(socket, hello());
      send(socket, { m: "join", member: self });
    });
    onMessages(socket, (message) => {
      if (message.m === "refused") {
        refused(message.text);
        end(new Error(message.text));
      } else if (message.m === "joined") {
        resolve(message);
        socket.destroy();
      }
    });
  });

/** Asks the helper, then the leader that it names, to take us in; returns when we are a member. */
export const joinGroup = async (joining: Joining): Promise<void> => {
  let target = joining.helper;
  for (;;) {
    const answer = await ask(joining, target).catch(() => undefined);
    if (answer?.ok) {
      return;
    }
    target = answer?.leader ?? joining.helper;
    await sleep(retryMs);
  }
};
