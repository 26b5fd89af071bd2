import assert from "node:assert/strict";
import { type HostWishes, hostProblems } from "../../../provider/starrocks/host-problems.js";
import type { HostFacts } from "../../../provider/starrocks/limits.js";

describe("hostProblems", () => {
  const disk = { path: "/data/1", mount: "/data", type: "xfs", freeBytes: 8e9, totalBytes: 1e12 };
  const good: HostFacts = {
    user: { name: "starrocks", id: 1000 },
    kernel: "Linux 5.15 x86_64",
    files: { soft: 1024, hard: 655_350 },
    processes: { soft: 65_535, hard: 65_535 },
    cpus: 16,
    avx2: true,
    memory: { totalBytes: 64e9, availableBytes: 60e9 },
    swapBytes: 0,
    disks: [disk],
    missing: [],
    addresses: ["127.0.0.1", "10.0.0.21", "fd00::2"],
    listeners: [],
    kernelSettings: { overcommit: 1, maxMapCount: 262_144, swappiness: 0, hugePages: "madvise" },
    killsUserProcesses: false,
  };
  const be: HostWishes = { kinds: ["be"], address: "10.0.0.21" };

  const rows: readonly {
    readonly what: string;
    readonly facts?: Partial<HostFacts>;
    readonly wishes?: Partial<HostWishes>;
    readonly errors?: readonly RegExp[];
    readonly warnings?: readonly RegExp[];
  }[] = [
    { what: "nothing" },
    {
      what: "a hard limit of files below what a BE needs",
      facts: { files: { soft: 1024, hard: 4096 } },
      errors: [/user starrocks .* at least 60000 open files.* is 4096\. Add "starrocks - nofile 655350"/],
    },
    {
      what: "the same for an FE alone",
      facts: { files: { soft: 1024, hard: 4096 } },
      wishes: { kinds: ["fe"] },
      warnings: [/may open 4096 files/],
    },
    { what: "missing programs", facts: { missing: ["ps", "wget"] }, errors: [/missing: ps\. Install/] },
    {
      what: "no tool for a download",
      facts: { missing: ["curl", "wget"] },
      wishes: { downloads: true },
      errors: [/curl or wget for `release\.url`/],
    },
    {
      what: "a path that the user cannot make",
      facts: { disks: [{ ...disk, closed: { path: "/data", mode: "drwxr-xr-x", owner: "root" } }] },
      errors: [
        /user starrocks to be able to write \/data\/1, but \/data belongs to root \(drwxr-xr-x\)\. Run on the host: sudo install -d -o starrocks \/data\/1\.$/,
      ],
    },
    {
      what: "a path below a file",
      facts: { disks: [{ ...disk, closed: { path: "/data", mode: "-rw-r--r--", owner: "starrocks" } }] },
      errors: [/to be able to write \/data\/1, but \/data is no folder\. Choose another path\.$/],
    },
    {
      what: "folders of which the upper one, once it is given, lets the lower one be made; and one that is closed itself",
      facts: {
        disks: [
          { ...disk, path: "/data/1", closed: { path: "/data", mode: "drwxr-xr-x", owner: "root" } },
          { ...disk, path: "/data/1/fe", closed: { path: "/data", mode: "drwxr-xr-x", owner: "root" } },
          { ...disk, path: "/data/1/meta", closed: { path: "/data/1/meta", mode: "drwxr-xr-x", owner: "root" } },
        ],
      },
      errors: [/to be able to write \/data\/1, /, /to be able to write \/data\/1\/meta, /],
    },
    {
      what: "an address that is not the host's",
      wishes: { address: "10.0.0.99" },
      errors: [/have the address 10\.0\.0\.99.* it has 127\.0\.0\.1, 10\.0\.0\.21, fd00::2/],
    },
    {
      what: "such an address with priority_networks of the user's",
      wishes: { address: "10.0.0.99", priorityNetworks: "10.0.0.0/8" },
    },
    { what: "a name", wishes: { address: "be-1.example" } },
    { what: "any loopback address", wishes: { address: "127.0.0.11" } },
    { what: "an IPv6 address written another way", wishes: { address: "FD00:0::2" } },
    {
      what: "a disk that is too full",
      wishes: { space: [{ path: "/data/1", bytes: 10e9, purpose: "the metadata of FE fe-1" }] },
      errors: [/Expected 10 GB free for the metadata of FE fe-1 at \/data\/1, but \/data has 8 GB of 1 TB left/],
    },
    {
      what: "kernel settings for a BE",
      facts: {
        avx2: false,
        swapBytes: 2e9,
        kernelSettings: { overcommit: 0, maxMapCount: 65_530, swappiness: 60, hugePages: "always" },
        processes: { soft: 4096, hard: 4096 },
      },
      warnings: [
        /4096 processes/,
        /AVX2/,
        /overcommit_memory is 0/,
        /max_map_count is 65530/,
        /swaps \(2 GB\)/,
        /huge pages/,
      ],
    },
    {
      what: "a systemd that ends what a session started",
      facts: { killsUserProcesses: true },
      warnings: [/KillUserProcesses=yes.*enable-linger starrocks/],
    },
  ];
  for (const { what, facts, wishes, errors = [], warnings = [] } of rows) {
    it(`finds ${errors.length} errors and ${warnings.length} warnings: ${what}`, () => {
      const found = hostProblems({ ...good, ...facts }, { ...be, ...wishes });
      for (const [seen, wanted] of [
        [found.errors, errors],
        [found.warnings, warnings],
      ] as const) {
        assert.equal(seen.length, wanted.length, seen.join("\n"));
        for (const [index, pattern] of wanted.entries()) {
          assert.match(seen[index] ?? "", pattern);
        }
      }
    });
  }
});
