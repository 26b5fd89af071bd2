import { runtime } from "@pulumi/pulumi";
import { unpacked } from "../../../provider/engine/packed.js";

type Value = Readonly<Record<string, unknown>>;

/** A resource as the engine would be asked for it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly parent: string;
  /** Logical names of what it depends on. */
  readonly dependsOn: readonly string[];
  readonly deletedWith: string;
  readonly additionalSecretOutputs: readonly string[];
  readonly deleteBeforeReplace: boolean;
  /** The inputs as handlers see them, with secrets as plain values. */
  readonly inputs: Value;
  /** The inputs as they travel, with secrets as plain values. */
  readonly sent: Value;
  /** The inputs that are secret. */
  readonly secrets: readonly string[];
}

interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
  getDeletedwith(): string;
  getAdditionalsecretoutputsList(): string[];
  getDeletebeforereplace(): boolean;
  getObject(): { toJavaScript(): Value } | undefined;
}

interface Monitor {
  registerResource(request: Request, done: (error: Error | null, response?: { getUrn(): string }) => void): unknown;
}

const nameOf = (urn: string): string => urn.split("::").at(-1) ?? "";

/** How secrets travel (`sdk/nodejs/runtime/rpc.ts`, `specialSigKey` and `specialSecretSig`). */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

const isSecret = (value: object): value is { readonly value: unknown } =>
  (value as Value)[signatureKey] === secretSignature;

const unwrapped = (value: unknown, path: string, secrets: string[]): unknown => {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (isSecret(value)) {
    secrets.push(path);
    return unwrapped(value.value, path, []);
  }
  if (Array.isArray(value)) {
    return value.map((inner, index) => unwrapped(inner, `${path}[${index}]`, secrets));
  }
  const entries = Object.entries(value).map(([key, inner]) => [key, unwrapped(inner, `${path}.${key}`, secrets)]);
  return Object.fromEntries(entries);
};

/** Runs a program against a monitor that answers each registration with its inputs, and gives what it registered. */
export const registered = async (program: () => unknown, preview = false): Promise<readonly Registered[]> => {
  const found: Registered[] = [];
  await runtime.setMocks(
    { newResource: ({ inputs, name }) => ({ id: name, state: inputs }), call: () => ({}) },
    "lab",
    "dev",
    preview,
  );
  const monitor = runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, done) =>
    register(request, (error, response) => {
      const secrets: string[] = [];
      const sent = unwrapped(request.getObject()?.toJavaScript() ?? {}, "", secrets) as Value;
      found.push({
        type: request.getType(),
        name: request.getName(),
        urn: response?.getUrn() ?? "",
        parent: nameOf(request.getParent()),
        dependsOn: request.getDependenciesList().map(nameOf).sort(),
        deletedWith: nameOf(request.getDeletedwith()),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        deleteBeforeReplace: request.getDeletebeforereplace(),
        inputs: unpacked(sent),
        sent,
        secrets: secrets.map((path) => path.replace(/^\./, "")).sort(),
      });
      done(error, response);
    });
  program();
  // It is no part of the SDK's types, but what `pulumi` itself ends a program with.
  await (runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
  return found;
};
