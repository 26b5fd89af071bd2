import { connect, createServer } from "node:net";
import { Link } from "./link.js";

/**
 * A program: `relay.js <listen address> <target address> <port> <delay ms>` carries TCP connections with a delay. It stands in front
 * of a slow host's sshd, because the kernel's own means (netem) is missing on many machines. At the end of its
 * input it takes no new connections, and ends with the last one.
 */
const [listen = "", target = "", port = "", delayMs = ""] = process.argv.slice(2);

const server = createServer((client) => {
  const upstream = connect(Number(port), target);
  upstream.once("connect", () => new Link(client, upstream, { delayMs: Number(delayMs) }));
  upstream.on("error", () => client.destroy());
});
server.listen(Number(port), listen, () => console.log("ready"));
process.stdin.resume().on("end", () => server.close());
