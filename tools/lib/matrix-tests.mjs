// Of the e2e suite, what depends on the releases of Node and of @pulumi/pulumi; the matrix runs only these.

/** By their files and the beginning of their titles, by which mocha finds them. */
export const matrixTests = [
  // Programs, closures and the provider process under a real engine.
  { file: "test/engine/stack.test.ts", title: "createStack" },
  // This package's cluster: its first deployment, a second `up`, an upgrade, its end.
  { file: "test/e2e/main.test.ts", title: "a cluster from nothing to its next version" },
  // A Ctrl-C is heard by a private part of Node.
  { file: "test/e2e/interrupted.test.ts", title: "Ctrl-C in the middle of an upgrade" },
];
