import net from "node:net";
import type { Member } from "../catalog/operations.js";
import { type Message, onMessages } from "./messages.js";

export interface CallersOptions {
  readonly isolated: () => boolean;
  readonly onCall: (socket: net.Socket, message: Message) => void;
  readonly onGone: (socket: net.Socket) => void;
}

/** Who calls on the edit log port; a member is known by its hello. */
export class Callers {
  readonly #options: CallersOptions;
  readonly #server: net.Server;
  readonly #sockets = new Map<net.Socket, Member | undefined>();

  constructor(options: CallersOptions) {
    this.#options = options;
    this.#server = net.createServer((socket) => this.#accept(socket));
  }

  /** Rejects with EADDRINUSE. */
  open(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => resolve());
    });
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  close(): void {
    for (const socket of this.#sockets.keys()) {
      socket.destroy();
    }
    this.#server.close();
  }

  greeted(socket: net.Socket, member: Member | undefined): void {
    this.#sockets.set(socket, member);
  }

  memberOf(socket: net.Socket): Member | undefined {
    return this.#sockets.get(socket);
  }

  #accept(socket: net.Socket): void {
    const { isolated, onCall, onGone } = this.#options;
    this.#sockets.set(socket, undefined);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      onGone(socket);
    });
    onMessages(socket, (message) => {
      if (!isolated()) {
        onCall(socket, message);
      }
    });
  }
}
