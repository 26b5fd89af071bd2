import { connect } from "node:net";
import { engine, engineAddress } from "./client.js";

/** Milliseconds for a connection on the same machine; one that is neither made nor refused says nothing. */
const answerLimit = 3000;

/**
 * Whether the engine that started this process is still there: it is gone when nobody listens at its address any more. One
 * that is slow or suspended is there. True where there is none (the process was not started by one).
 */
export const engineAlive = (): Promise<boolean> =>
  new Promise((resolve) => {
    const address = engineAddress();
    if (address === undefined) {
      resolve(true);
      return;
    }
    const colon = address.lastIndexOf(":");
    const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) });
    const answer = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.setTimeout(answerLimit, () => answer(true));
    socket.once("connect", () => answer(true));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => answer(code !== "ECONNREFUSED"));
  });

/** Calls `listener` as soon as the engine has gone: its end closes the connection that is held to it. */
export const onEngineGone = (listener: () => void): void => {
  const channel = engine()?.getChannel();
  const watch = (): void => {
    const state = channel?.getConnectivityState(true);
    if (state !== undefined) {
      channel?.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => void look());
    }
  };
  const look = async (): Promise<void> => ((await engineAlive()) ? watch() : listener());
  watch();
};
