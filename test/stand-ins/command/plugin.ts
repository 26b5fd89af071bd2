// Stand-in for the plugin `pulumi-resource-command`: the resources of kinds.ts behind the gRPC interface of a provider.

import { randomBytes } from "node:crypto";
import { type handleUnaryCall, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb.js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import {
  type CheckRequest,
  CheckResponse,
  ConfigureResponse,
  type CreateRequest,
  CreateResponse,
  type DeleteRequest,
  type DiffRequest,
  DiffResponse,
  type ReadRequest,
  ReadResponse,
  type UpdateRequest,
  UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb.js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { type Kind, kinds } from "./kinds.js";
import type { Props } from "./run.js";

/** The version that @pulumi/command asks for, else the engine looks for another plugin. */
const { version }: { readonly version: string } = require("@pulumi/command/package.json");

const fromStruct = (struct: Struct | undefined): Props => struct?.toJavaScript() ?? {};
const toStruct = (props: Props): Struct => Struct.fromJavaScript(props as Parameters<typeof Struct.fromJavaScript>[0]);

/** The kind of a resource, from the type in its URN: `…::command:remote:Command::name`. */
const kindOf = (urn: string): Kind => {
  const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const kind = kinds[type];
  if (!kind) {
    throw new Error(`the stand-in for @pulumi/command has no ${type}`);
  }
  return kind;
};

/** A method of the service as an async function; what it throws becomes the error of the call. */
const answer =
  <Request, Response>(work: (request: Request) => Promise<Response>): handleUnaryCall<Request, Response> =>
  (call, reply) => {
    work(call.request).then(
      (response) => reply(null, response),
      (error: Error) => reply({ code: status.UNKNOWN, details: error.message }),
    );
  };

const check = answer(async (request: CheckRequest) => new CheckResponse().setInputs(request.getNews()));

const diff = answer(async (request: DiffRequest) => {
  const [olds, news] = [fromStruct(request.getOldInputs() ?? request.getOlds()), fromStruct(request.getNews())];
  const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
    (key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]),
  );
  const { DIFF_SOME, DIFF_NONE } = DiffResponse.DiffChanges;
  return new DiffResponse()
    .setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE)
    .setDiffsList(changed)
    .setReplacesList(changed.filter((key) => key === "triggers"));
});

const create = answer(async (request: CreateRequest) => {
  const outputs = await kindOf(request.getUrn()).create(fromStruct(request.getProperties()));
  return new CreateResponse().setId(randomBytes(8).toString("hex")).setProperties(toStruct(outputs));
});

const update = answer(async (request: UpdateRequest) => {
  const kind = kindOf(request.getUrn());
  const outputs = await kind.update(fromStruct(request.getOlds()), fromStruct(request.getNews()));
  return new UpdateResponse().setProperties(toStruct(outputs));
});

const remove = answer(async (request: DeleteRequest) => {
  await kindOf(request.getUrn()).delete(fromStruct(request.getProperties()));
  return new Empty();
});

const read = answer(async (request: ReadRequest) =>
  new ReadResponse().setId(request.getId()).setProperties(request.getProperties()).setInputs(request.getInputs()),
);

const server = new Server();
server.addService(ResourceProviderService, {
  getPluginInfo: answer(async () => new PluginInfo().setVersion(version)),
  checkConfig: check,
  diffConfig: answer(async () => new DiffResponse().setChanges(DiffResponse.DiffChanges.DIFF_NONE)),
  configure: answer(async () => new ConfigureResponse()),
  check,
  diff,
  create,
  update,
  delete: remove,
  read,
  cancel: answer(async () => new Empty()),
});
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    throw error;
  }
  process.stdout.write(`${port}\n`);
});
