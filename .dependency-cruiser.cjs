// Which folder may import which, one way only; CONTRIBUTING.md says it in words.

/** The rooms of provider/, and the rooms that each may import besides itself. */
const rooms = {
  resources: ["rollout", "plan", "starrocks", "host", "engine"],
  rollout: ["plan", "starrocks", "host", "engine"],
  plan: ["starrocks"],
  starrocks: ["host"],
  host: [],
  engine: [],
};

const roomRules = Object.entries(rooms).map(([room, allowed]) => ({
  name: `provider-${room}`,
  comment: `provider/${room} may import ${allowed.length === 0 ? "no other room" : allowed.join(", ")} of provider/, error.ts, strict.ts and wait.ts.`,
  severity: "error",
  from: { path: `^provider/${room}/` },
  to: {
    path: "^provider/",
    pathNot: [`^provider/(${[room, ...allowed].join("|")})/`, "^provider/(error|strict|wait)[.]ts$"],
  },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: "plan-is-pure",
      comment: "Plans are functions of plain data: nothing reachable from provider/plan does I/O.",
      severity: "error",
      from: { path: "^provider/plan/" },
      to: {
        path: [
          "^provider/host/",
          "^(node:)?(fs|net|tls|dns|http|https|http2|child_process|worker_threads)(/|$)",
          "node_modules/(ssh2|mysql2|thrift)/",
        ],
        reachable: true,
      },
    },
    {
      name: "provider-imports-no-outer-folder",
      comment: "provider/ runs alone in the provider process.",
      severity: "error",
      from: { path: "^provider/" },
      to: { path: "^(sdk|test|tools|examples)/" },
    },
    {
      name: "pulumi-only-in-engine",
      comment: "Only provider/engine knows Pulumi, so that another kind of provider can wrap the rest.",
      severity: "error",
      from: { path: "^provider/", pathNot: "^provider/engine/" },
      to: { path: "node_modules/@pulumi/" },
    },
    {
      name: "sdk-imports-no-outer-folder",
      severity: "error",
      from: { path: "^sdk/" },
      to: { path: "^(test|tools|examples)/" },
    },
    {
      name: "sdk-takes-only-types-of-provider",
      comment:
        "The program's process never loads the implementation; thin providers import it by the package's name. " +
        "How a release is named, and what may be a host, are pure functions that both sides must agree on.",
      severity: "error",
      from: { path: "^sdk/" },
      to: {
        path: "^provider/",
        pathNot: "^provider/(plan/(host-name|overlay|release-id)|engine/packed)[.]ts$",
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "no-development-dependency",
      comment: "What users install must not need what only we install.",
      severity: "error",
      from: { path: "^(sdk|provider)/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["npm", "npm-peer", "npm-optional", "type-only"] },
    },
    { name: "no-cycle", severity: "error", from: {}, to: { circular: true } },
    {
      name: "no-orphan",
      comment: "A file that imports nothing and that nothing imports is dead, unless it is an entry.",
      severity: "error",
      from: { orphan: true, path: "^(sdk|provider|test|tools)/", pathNot: ["[.]test[.]m?ts$", "[.]d[.]ts$"] },
      to: {},
    },
    {
      name: "no-unresolved",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^pulumi-starrocks(/|$)" },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^dist/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
  },
};
