import { whileAsked } from "../engine/end.js";
import { type CheckFailure, withoutProperty } from "../engine/failure.js";
import type { Plain } from "../engine/outputs.js";

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

/** Handlers as the frozen entry gives them to the engine. */
export const entry = (handlers: Handlers): Handlers => ({
  ...handlers,
  create: (inputs) => whileAsked(() => handlers.create(inputs)),
  update: (id, olds, news) => whileAsked(() => handlers.update(id, olds, news)),
  delete: (id, props) => whileAsked(() => handlers.delete(id, props)),
  check: async (olds, news) => {
    const { failures, ...checked } = await handlers.check(olds, news);
    return { ...checked, ...(failures && { failures: failures.map(withoutProperty) }) };
  },
});
