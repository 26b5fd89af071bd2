import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";

/** A message that a provider sent to its engine. */
export interface Logged {
  readonly severity: "debug" | "info" | "warning" | "error";
  readonly message: string;
  /** Empty for the stack. */
  readonly urn: string;
  /** Shown while the operation runs, and forgotten. */
  readonly ephemeral: boolean;
}

export interface FakeEngine {
  readonly address: string;
  readonly logged: readonly Logged[];
  stop(): void;
}

const severities = ["debug", "info", "warning", "error"] as const;

/** The engine's side of what a provider calls: it records every message. */
export const startEngine = async (): Promise<FakeEngine> => {
  const logged: Logged[] = [];
  const server = new Server();
  server.addService(EngineService, {
    log: ({ request }: ServerUnaryCall<LogRequest, Empty>, reply: sendUnaryData<Empty>) => {
      logged.push({
        severity: severities[request.getSeverity()] ?? "error",
        message: request.getMessage(),
        urn: request.getUrn(),
        ephemeral: request.getEphemeral(),
      });
      reply(null, new Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, logged, stop: () => server.forceShutdown() };
};
