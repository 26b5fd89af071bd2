import net from "node:net";
import type { Member } from "../catalog/operations.js";
import { type Message, onMessages, send } from "./messages.js";

const redialMs = 200;
const dialTimeoutMs = 3000;

export interface PeerOptions {
  readonly member: Member;
  readonly localAddress: string | undefined;
  readonly isolated: () => boolean;
  readonly hello: () => Message;
  readonly onMessage: (peer: Peer, message: Message) => void;
  readonly onLost: (peer: Peer) => void;
}

/** Our connection to another member: dialled again for as long as it is one. Also what a leader knows of its progress. */
export class Peer {
  readonly member: Member;
  next = 1;
  match = 0;
  /** The last answer to an append, for the leader's view of its majority. */
  answeredAt = Number.NEGATIVE_INFINITY;
  waiting = false;
  sentAt = Number.NEGATIVE_INFINITY;
  connected = false;
  readonly #options: PeerOptions;
  #socket: net.Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PeerOptions) {
    this.member = options.member;
    this.#options = options;
    this.#dial();
  }

  send(message: Message): boolean {
    if (this.#socket === undefined || !this.connected || this.#options.isolated()) {
      return false;
    }
    send(this.#socket, message);
    return true;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.end();
    this.#socket = undefined;
    this.connected = false;
  }

  #dial(): void {
    if (this.#closed) {
      return;
    }
    if (this.#options.isolated()) {
      this.#timer = setTimeout(() => this.#dial(), redialMs);
      return;
    }
    const { member, localAddress } = this.#options;
    const socket = net.connect({
      host: member.host,
      port: member.port,
      ...(localAddress === undefined || !member.host.startsWith("127.") ? {} : { localAddress }),
    });
    this.#socket = socket;
    const giveUp = setTimeout(() => socket.destroy(), dialTimeoutMs);
    socket.on("connect", () => {
      clearTimeout(giveUp);
      this.connected = true;
      this.waiting = false;
      send(socket, this.#options.hello());
    });
    onMessages(socket, (message) => {
      if (!this.#options.isolated() && this.#socket === socket) {
        this.#options.onMessage(this, message);
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(giveUp);
      const was = this.connected;
      this.connected = false;
      this.waiting = false;
      if (this.#closed || this.#socket !== socket) {
        return;
      }
      this.#timer = setTimeout(() => this.#dial(), redialMs);
      if (was) {
        this.#options.onLost(this);
      }
    });
  }
}
