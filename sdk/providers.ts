import type { dynamic } from "@pulumi/pulumi";

// The text of each of these objects is kept in the state of every resource, for ever: `delete` and `refresh` run the
// text that was recorded. So the text says only where the code is. `test/contract/golden` holds it byte for byte.

export const releaseProvider: dynamic.ResourceProvider = {
  check: async (olds, news) => (await import("pulumi-starrocks/provider")).release.check(olds, news),
  diff: async (id, olds, news) => (await import("pulumi-starrocks/provider")).release.diff(id, olds, news),
  create: async (inputs) => (await import("pulumi-starrocks/provider")).release.create(inputs),
  update: async (id, olds, news) => (await import("pulumi-starrocks/provider")).release.update(id, olds, news),
  read: async (id, props) => (await import("pulumi-starrocks/provider")).release.read(id, props),
  delete: async (id, props) => (await import("pulumi-starrocks/provider")).release.delete(id, props),
};

export const preflightProvider: dynamic.ResourceProvider = {
  check: async (olds, news) => (await import("pulumi-starrocks/provider")).preflight.check(olds, news),
  diff: async (id, olds, news) => (await import("pulumi-starrocks/provider")).preflight.diff(id, olds, news),
  create: async (inputs) => (await import("pulumi-starrocks/provider")).preflight.create(inputs),
  update: async (id, olds, news) => (await import("pulumi-starrocks/provider")).preflight.update(id, olds, news),
  read: async (id, props) => (await import("pulumi-starrocks/provider")).preflight.read(id, props),
  delete: async (id, props) => (await import("pulumi-starrocks/provider")).preflight.delete(id, props),
};

export const rehearsalProvider: dynamic.ResourceProvider = {
  check: async (olds, news) => (await import("pulumi-starrocks/provider")).rehearsal.check(olds, news),
  diff: async (id, olds, news) => (await import("pulumi-starrocks/provider")).rehearsal.diff(id, olds, news),
  create: async (inputs) => (await import("pulumi-starrocks/provider")).rehearsal.create(inputs),
  update: async (id, olds, news) => (await import("pulumi-starrocks/provider")).rehearsal.update(id, olds, news),
  read: async (id, props) => (await import("pulumi-starrocks/provider")).rehearsal.read(id, props),
  delete: async (id, props) => (await import("pulumi-starrocks/provider")).rehearsal.delete(id, props),
};

export const feNodeProvider: dynamic.ResourceProvider = {
  check: async (olds, news) => (await import("pulumi-starrocks/provider")).feNode.check(olds, news),
  diff: async (id, olds, news) => (await import("pulumi-starrocks/provider")).feNode.diff(id, olds, news),
  create: async (inputs) => (await import("pulumi-starrocks/provider")).feNode.create(inputs),
  update: async (id, olds, news) => (await import("pulumi-starrocks/provider")).feNode.update(id, olds, news),
  read: async (id, props) => (await import("pulumi-starrocks/provider")).feNode.read(id, props),
  delete: async (id, props) => (await import("pulumi-starrocks/provider")).feNode.delete(id, props),
};

export const beNodeProvider: dynamic.ResourceProvider = {
  check: async (olds, news) => (await import("pulumi-starrocks/provider")).beNode.check(olds, news),
  diff: async (id, olds, news) => (await import("pulumi-starrocks/provider")).beNode.diff(id, olds, news),
  create: async (inputs) => (await import("pulumi-starrocks/provider")).beNode.create(inputs),
  update: async (id, olds, news) => (await import("pulumi-starrocks/provider")).beNode.update(id, olds, news),
  read: async (id, props) => (await import("pulumi-starrocks/provider")).beNode.read(id, props),
  delete: async (id, props) => (await import("pulumi-starrocks/provider")).beNode.delete(id, props),
};

export const feMemberProvider: dynamic.ResourceProvider = {
  check: async (olds, news) => (await import("pulumi-starrocks/provider")).feMember.check(olds, news),
  diff: async (id, olds, news) => (await import("pulumi-starrocks/provider")).feMember.diff(id, olds, news),
  create: async (inputs) => (await import("pulumi-starrocks/provider")).feMember.create(inputs),
  update: async (id, olds, news) => (await import("pulumi-starrocks/provider")).feMember.update(id, olds, news),
  read: async (id, props) => (await import("pulumi-starrocks/provider")).feMember.read(id, props),
  delete: async (id, props) => (await import("pulumi-starrocks/provider")).feMember.delete(id, props),
};

export const beMemberProvider: dynamic.ResourceProvider = {
  check: async (olds, news) => (await import("pulumi-starrocks/provider")).beMember.check(olds, news),
  diff: async (id, olds, news) => (await import("pulumi-starrocks/provider")).beMember.diff(id, olds, news),
  create: async (inputs) => (await import("pulumi-starrocks/provider")).beMember.create(inputs),
  update: async (id, olds, news) => (await import("pulumi-starrocks/provider")).beMember.update(id, olds, news),
  read: async (id, props) => (await import("pulumi-starrocks/provider")).beMember.read(id, props),
  delete: async (id, props) => (await import("pulumi-starrocks/provider")).beMember.delete(id, props),
};

export const rolloutProvider: dynamic.ResourceProvider = {
  check: async (olds, news) => (await import("pulumi-starrocks/provider")).rollout.check(olds, news),
  diff: async (id, olds, news) => (await import("pulumi-starrocks/provider")).rollout.diff(id, olds, news),
  create: async (inputs) => (await import("pulumi-starrocks/provider")).rollout.create(inputs),
  update: async (id, olds, news) => (await import("pulumi-starrocks/provider")).rollout.update(id, olds, news),
  read: async (id, props) => (await import("pulumi-starrocks/provider")).rollout.read(id, props),
  delete: async (id, props) => (await import("pulumi-starrocks/provider")).rollout.delete(id, props),
};
