import { until } from "../../../provider/wait.js";

/** Milliseconds in which the FEs see what has become of a node. */
const seenLimit = 6000;

/** What is seen once it is as wished; what was seen last where that takes too long. */
export const soon = async <T>(look: () => Promise<T>, wished: (seen: T) => boolean): Promise<T> => {
  let last = await look();
  await until<void>(
    async () => {
      if (wished(last)) {
        return { done: true, value: undefined };
      }
      last = await look();
      return { done: false, seen: "others" };
    },
    { what: "the cluster to be as wished", limit: seenLimit },
  ).catch(() => undefined);
  return last;
};
