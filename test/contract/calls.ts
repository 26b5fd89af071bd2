// The calls of an engine to a provider, with plain values in and out.

import type { ServiceError } from "@grpc/grpc-js";
import type { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import {
  CheckRequest,
  type CheckResponse,
  CreateRequest,
  type CreateResponse,
  DeleteRequest,
  DiffRequest,
  DiffResponse,
  ErrorResourceInitFailed,
  ReadRequest,
  type ReadResponse,
  UpdateRequest,
  type UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb.js";
import { Status } from "@pulumi/pulumi/proto/status_pb.js";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

export type Props = Readonly<Record<string, unknown>>;

export interface Diff {
  /** Undefined: the provider left it to the engine to compare the inputs. */
  readonly changes: boolean | undefined;
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/** `__provider` is added to what goes in and taken off what comes out, except from a partial failure's properties. */
export interface Calls {
  check(olds: Props, news: Props): Promise<Checked>;
  diff(id: string, olds: Props, news: Props): Promise<Diff>;
  create(inputs: Props): Promise<{ readonly id: string; readonly outputs: Props }>;
  read(id: string, outputs: Props): Promise<Read>;
  update(id: string, olds: Props, news: Props): Promise<{ readonly outputs: Props }>;
  delete(id: string, outputs: Props): Promise<void>;
}

export interface Checked {
  readonly inputs: Props;
  readonly failures: readonly { readonly property: string; readonly reason: string }[];
}

export interface Read {
  /** Empty: the resource is gone. */
  readonly id: string;
  readonly outputs: Props;
  readonly inputs: Props | undefined;
}

/** A method of the provider rejected. */
export class ProviderFailure extends Error {
  override readonly name = "ProviderFailure";
  /** Set when the resource exists but is not as wished: the engine saves this state and shows the reasons. */
  readonly partial: PartialState | undefined;

  constructor(message: string, partial: PartialState | undefined) {
    super(message);
    this.partial = partial;
  }
}

export interface PartialState {
  readonly id: string;
  readonly properties: Props;
  readonly reasons: readonly string[];
}

/** @param text the serialized provider, as `__provider` holds it */
export const callsOf = (client: ResourceProviderClient, text: string): Calls => {
  const into = (props: Props): Struct => toStruct({ ...props, __provider: text });
  // Of a resource that is not there yet, the engine has no inputs at all.
  const intoOlds = (props: Props): Struct => (Object.keys(props).length > 0 ? into(props) : toStruct({}));
  return {
    check: async (olds, news) => {
      const request = new CheckRequest().setOlds(intoOlds(olds)).setNews(into(news));
      const response = await reply<CheckResponse>((done) => client.check(request, done));
      return {
        inputs: outOf(response.getInputs()),
        failures: response.getFailuresList().map((failure) => ({
          property: failure.getProperty(),
          reason: failure.getReason(),
        })),
      };
    },
    diff: async (id, olds, news) => {
      const request = new DiffRequest().setId(id).setOlds(into(olds)).setNews(into(news));
      const response = await reply<DiffResponse>((done) => client.diff(request, done));
      return {
        changes: changesOf(response.getChanges()),
        replaces: response.getReplacesList(),
        deleteBeforeReplace: response.getDeletebeforereplace(),
      };
    },
    create: async (inputs) => {
      const request = new CreateRequest().setProperties(into(inputs));
      const response = await reply<CreateResponse>((done) => client.create(request, done));
      return { id: response.getId(), outputs: outOf(response.getProperties()) };
    },
    read: async (id, outputs) => {
      const request = new ReadRequest().setId(id).setProperties(into(outputs));
      const response = await reply<ReadResponse>((done) => client.read(request, done));
      return {
        id: response.getId(),
        outputs: outOf(response.getProperties()),
        inputs: response.hasInputs() ? outOf(response.getInputs()) : undefined,
      };
    },
    update: async (id, olds, news) => {
      const request = new UpdateRequest().setId(id).setOlds(into(olds)).setNews(into(news));
      const response = await reply<UpdateResponse>((done) => client.update(request, done));
      return { outputs: outOf(response.getProperties()) };
    },
    delete: async (id, outputs) => {
      const request = new DeleteRequest().setId(id).setProperties(into(outputs));
      await reply((done) => client.delete(request, done));
    },
  };
};

type Callback<T> = (error: ServiceError | null, response: T) => void;

export const reply = <T>(send: (done: Callback<T>) => unknown): Promise<T> =>
  new Promise((resolve, reject) => {
    send((error, response) => (error ? reject(failureOf(error)) : resolve(response)));
  });

/** A partial failure travels in the metadata of a gRPC error. */
const failureOf = (error: ServiceError): ProviderFailure => {
  const [details] = error.metadata.get("grpc-status-details-bin");
  const status = details === undefined ? undefined : Status.deserializeBinary(Buffer.from(details));
  const packed = status?.getDetailsList()[0]?.getValue_asU8();
  const partial = packed === undefined ? undefined : ErrorResourceInitFailed.deserializeBinary(packed);
  return new ProviderFailure(
    error.details,
    partial && {
      id: partial.getId(),
      properties: fromStruct(partial.getProperties()),
      reasons: partial.getReasonsList(),
    },
  );
};

const changesOf = (changes: DiffResponse.DiffChanges): boolean | undefined => {
  switch (changes) {
    case DiffResponse.DiffChanges.DIFF_SOME:
      return true;
    case DiffResponse.DiffChanges.DIFF_NONE:
      return false;
    default:
      return undefined;
  }
};

export const toStruct = (props: Props): Struct =>
  Struct.fromJavaScript(props as Parameters<typeof Struct.fromJavaScript>[0]);

const fromStruct = (struct: Struct | undefined): Props => struct?.toJavaScript() ?? {};

const outOf = (struct: Struct | undefined): Props => {
  const { __provider, ...props } = fromStruct(struct);
  return props;
};
