import { whileAsked } from "../engine/end.js";
import { type CheckFailure, withoutProperty } from "../engine/failure.js";
import type { Plain } from "../engine/outputs.js";
import { packedLike, unpacked } from "../engine/packed.js";

/**
 * What a kind of resource can do. The names are Pulumi's and, with those of the kinds, live in users' state for ever.
 * `olds` of check are inputs; `olds` of diff and update, and `props`, are outputs.
 */
export interface Handlers {
  check(olds: Plain, news: Plain): Promise<{ inputs: Plain; failures?: CheckFailure[] }>;
  diff(id: string, olds: Plain, news: Plain): Promise<{ changes: boolean; deleteBeforeReplace: boolean }>;
  create(inputs: Plain): Promise<{ id: string; outs: Record<string, unknown> }>;
  update(id: string, olds: Plain, news: Plain): Promise<{ outs: Record<string, unknown> }>;
  read(
    id: string,
    props: Plain,
  ): Promise<{ id: string; props: Record<string, unknown>; inputs?: Record<string, unknown> }>;
  delete(id: string, props: Plain): Promise<void>;
}

/** Handlers as the frozen entry gives them to the engine: what is packed is theirs to see unpacked. */
export const entry = (handlers: Handlers): Handlers => ({
  check: async (olds, news) => {
    const { failures, inputs } = await handlers.check(unpacked(olds), unpacked(news));
    return { inputs: packedLike(news, inputs), ...(failures && { failures: failures.map(withoutProperty) }) };
  },
  diff: (id, olds, news) => handlers.diff(id, unpacked(olds), unpacked(news)),
  create: async (inputs) => {
    const { id, outs } = await whileAsked(() => handlers.create(unpacked(inputs)));
    return { id, outs: packedLike(inputs, outs) };
  },
  update: async (id, olds, news) => {
    const { outs } = await whileAsked(() => handlers.update(id, unpacked(olds), unpacked(news)));
    return { outs: packedLike(news, outs) };
  },
  read: async (id, recorded) => {
    const { inputs, props, ...rest } = await handlers.read(id, unpacked(recorded));
    return { ...rest, props: packedLike(recorded, props), ...(inputs && { inputs: packedLike(recorded, inputs) }) };
  },
  delete: (id, recorded) => whileAsked(() => handlers.delete(id, unpacked(recorded))),
});
