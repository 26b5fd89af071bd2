import { once } from "node:events";
import { createServer, type Server } from "node:net";

const firstPort = 27_700;
const numbers = 200;

/** A number that no other live fleet of this machine has. It is the third byte of the hosts' addresses. */
export interface FleetNumber {
  readonly value: number;
  release(): void;
}

/** Held by a listening socket, because the kernel gives that up when its process dies, however it dies. */
export const takeNumber = async (): Promise<FleetNumber> => {
  // Neighbours start at different places, so that they seldom meet.
  const start = process.pid % numbers;
  for (let i = 0; i < numbers; i++) {
    const value = (start + i) % numbers;
    const server = createServer();
    if (await listens(server, firstPort + value)) {
      server.unref();
      return { value, release: () => server.close() };
    }
  }
  throw new Error(
    `All ${numbers} fleet numbers are taken (TCP ports ${firstPort}–${firstPort + numbers - 1} of 127.0.0.1)`,
  );
};

const listens = async (server: Server, port: number): Promise<boolean> => {
  try {
    server.listen({ host: "127.0.0.1", port, exclusive: true });
    await once(server, "listening");
    return true;
  } catch {
    return false;
  }
};
