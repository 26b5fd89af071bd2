import net from "node:net";
import type { Member } from "./catalog/operations.js";
import { groupName, type Message, onMessages, send } from "./group/messages.js";

interface Target {
  readonly host: string;
  readonly port: number;
}

/** One question to one member of the group, after the usual greeting. */
const ask = <M extends Message["m"]>(
  target: Target,
  question: Message | undefined,
  answer: M,
): Promise<Extract<Message, { m: M }>> =>
  new Promise((resolve, reject) => {
    const socket = net.connect(target);
    socket.setTimeout(30_000, () => socket.destroy(new Error("timed out")));
    socket.on("error", reject);
    socket.on("close", () =>
      reject(new Error(`Could not find a master: no answer from ${target.host}:${target.port}`)),
    );
    socket.on("connect", () => {
      send(socket, { m: "hello", group: groupName, clock: Date.now() });
      if (question !== undefined) {
        send(socket, question);
      }
    });
    onMessages(socket, (message) => {
      if (message.m !== answer) {
        return;
      }
      resolve(message as Extract<Message, { m: M }>);
      socket.destroy();
    });
  });

const findLeader = async (helpers: readonly Target[]): Promise<Member> => {
  for (const helper of helpers) {
    const { leader } = await ask(helper, undefined, "welcome").catch(() => ({ leader: undefined }));
    if (leader !== undefined) {
      return leader;
    }
  }
  throw new Error(
    `com.sleepycat.je.rep.UnknownMasterException: (JE 18.3.20) Could not determine master from helpers at:[${helpers.map(({ host, port }) => `${host}:${port}`).join(", ")}]`,
  );
};

/** `10 s`, `500 ms`, `1 min` */
const milliseconds = (text: string): number => {
  const [amount = "0", unit = "ms"] = text.trim().split(/\s+/);
  const factor = { ms: 1, s: 1000, sec: 1000, min: 60_000, h: 3_600_000 }[unit.toLowerCase()] ?? 1;
  return Number(amount) * factor;
};

const usage =
  "usage: java { com.sleepycat.je.rep.util.DbGroupAdmin | -jar je-<version>.jar DbGroupAdmin } -groupName <group name> -helperHosts <host:port> -dumpGroup | -transferMaster [-force] <node1,node2> <timeout>";

const parse = (argv: readonly string[]) => {
  const words = argv[0] === "DbGroupAdmin" ? argv.slice(1) : argv;
  const after = (name: string): string | undefined => {
    const index = words.indexOf(name);
    return index < 0 ? undefined : words[index + 1];
  };
  const helpers = (after("-helperHosts") ?? "").split(",").map((text) => {
    const [host = "", port = "0"] = text.split(/:(?=\d+$)/);
    return { host, port: Number(port) };
  });
  const transfer = words.indexOf("-transferMaster");
  const [names = "", timeout = "10 s"] =
    transfer < 0 ? [] : words.slice(transfer + 1).filter((word) => word !== "-force");
  return {
    helpers,
    group: after("-groupName"),
    transfer: transfer >= 0,
    dump: words.includes("-dumpGroup"),
    names: names.split(","),
    timeout,
  };
};

/** `java -jar starrocks-bdb-je-….jar DbGroupAdmin …`: moves the leadership by hand. */
export const main = async (argv: readonly string[]): Promise<number> => {
  const { helpers, group, transfer, dump, names, timeout } = parse(argv);
  if (group !== groupName || helpers[0]?.host === "" || (!transfer && !dump)) {
    console.log(usage);
    return 255;
  }
  try {
    const leader = await findLeader(helpers);
    if (dump) {
      console.log(`Group: ${group}\nMaster: ${leader.name} ${leader.host}:${leader.port}`);
      return 0;
    }
    const [name = ""] = names;
    const { error } = await ask(leader, { m: "transferMaster", name, timeoutMs: milliseconds(timeout) }, "transferred");
    if (error !== undefined) {
      throw new Error(error);
    }
    console.log(`The new master is: ${name}`);
    return 0;
  } catch (error) {
    console.error(`Exception in thread "main" ${(error as Error).message}`);
    return 1;
  }
};

if (require.main === module) {
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
