import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb.js";

/** The engine tells a plugin its own address as the last argument. Outside an engine (tests, a user's script) there is none. */
export const engineAddress = (): string | undefined => {
  const last = process.argv.at(-1);
  return last && /^[^\s/]+:\d+$/.test(last) ? last : undefined;
};

let client: EngineClient | undefined;

export const engine = (): EngineClient | undefined => {
  const address = engineAddress();
  if (address === undefined) {
    return undefined;
  }
  client ??= new EngineClient(address, credentials.createInsecure());
  return client;
};
