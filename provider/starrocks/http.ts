import { request } from "node:http";
import type { Duplex } from "node:stream";
import { messageOf, TransientError } from "../error.js";
import type { Host } from "../host/types.js";
import { seconds } from "../wait.js";

export interface HttpOptions {
  /** Milliseconds for tunnel, request and answer. Default 5 s. */
  readonly limit?: number;
  readonly auth?: { readonly user: string; readonly password?: string };
  readonly method?: "GET" | "POST";
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** A probe answers from memory in milliseconds; five seconds leave room for a busy host. */
const limitDefault = 5_000;

/** No page that we ask for is near this. */
const bodyMost = 4 * 1024 * 1024;

/** Asks one page through the host's tunnel. Any status is an answer; not getting one is a `TransientError`. */
export const httpGet = async (
  host: Host,
  address: string,
  port: number,
  path: string,
  options: HttpOptions = {},
): Promise<HttpAnswer> => {
  const limit = options.limit ?? limitDefault;
  // The query may hold a cluster's token.
  const name = `${address}:${port}${path.replace(/\?.*$/s, "")}`;
  let stream: Duplex | undefined;
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const alarm = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TransientError(`${name} gave no answer within ${seconds(limit)}.`)), limit);
  });
  const opening = host.connect(address, port).then((opened) => {
    stream = opened;
    if (over) {
      opened.destroy();
    }
    return opened;
  });
  try {
    return await Promise.race([opening.then((opened) => exchange(opened, address, port, path, name, options)), alarm]);
  } finally {
    over = true;
    clearTimeout(timer);
    opening.catch(() => undefined);
    stream?.destroy();
  }
};

const exchange = (
  stream: Duplex,
  address: string,
  port: number,
  path: string,
  name: string,
  { auth, method = "GET" }: HttpOptions,
): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new TransientError(`${name} gave no answer: ${error.message}.`, { cause: error }));
    const outgoing = request(
      {
        createConnection: () => stream,
        host: address,
        port,
        path,
        method,
        headers: { Connection: "close" },
        ...(auth && { auth: `${auth.user}:${auth.password ?? ""}` }),
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > bodyMost) {
            fail(new Error(`more than ${bodyMost} bytes`));
            stream.destroy();
          } else {
            chunks.push(chunk);
          }
        });
        incoming.on("end", () =>
          resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
        incoming.on("error", fail);
      },
    );
    outgoing.on("error", fail);
    outgoing.end();
  });

/** Whether a probe was content, and if not what it saw. */
export type Readiness = { readonly ok: true } | { readonly ok: false; readonly seen: string };

/**
 * Is this FE ready? It opens its ports only when its metadata is loaded, so a starting FE refuses the connection;
 * `FAILED` comes later in life, when it lags behind or changes its role.
 */
export const feBootstrap = (host: Host, address: string, port: number, options?: HttpOptions): Promise<Readiness> =>
  probe(host, address, port, "/api/bootstrap", options);

/** Is the HTTP server of this BE or CN up? It says nothing about disks, registration or heartbeats. */
export const beHealth = (host: Host, address: string, port: number, options?: HttpOptions): Promise<Readiness> =>
  probe(host, address, port, "/api/health", options);

const probe = async (
  host: Host,
  address: string,
  port: number,
  path: string,
  options: HttpOptions | undefined,
): Promise<Readiness> => {
  try {
    return readinessOf(await httpGet(host, address, port, path, options));
  } catch (error) {
    if (error instanceof TransientError) {
      return { ok: false, seen: messageOf(error) };
    }
    throw error;
  }
};

/** The answer's `status` decides: other fields come and go with the versions. */
export const readinessOf = ({ status, body }: HttpAnswer): Readiness => {
  const said = statusOf(body);
  return status === 200 && said?.status === "OK"
    ? { ok: true }
    : {
        ok: false,
        seen: said ? `HTTP ${status}, ${said.status}: ${said.message}` : `HTTP ${status}, ${shortened(body)}`,
      };
};

const statusOf = (body: string): { readonly status: string; readonly message: string } | undefined => {
  try {
    const { status, msg, message } = JSON.parse(body) as Record<string, unknown>;
    return typeof status === "string" ? { status, message: String(msg ?? message ?? "") } : undefined;
  } catch {
    return undefined;
  }
};

const shortened = (body: string): string => {
  const text = body.trim().replace(/\s+/g, " ");
  return text === "" ? "an empty answer" : `"${text.length > 120 ? `${text.slice(0, 120)}…` : text}"`;
};
