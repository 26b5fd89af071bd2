import http from "node:http";

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface FetchOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly method?: "GET" | "POST";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly localAddress: string | undefined;
  readonly timeoutMs: number;
  readonly agent?: http.Agent;
}

/** One HTTP request; rejects with the socket's error, or ETIMEDOUT. */
export const fetchHttp = (options: FetchOptions): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { host, port, path, method = "GET", localAddress, timeoutMs, agent } = options;
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const length =
      body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const request = http.request({
      host,
      port,
      path,
      method,
      headers: { ...options.headers, ...length },
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(agent === undefined ? { agent: false } : { agent }),
    });
    const timer = setTimeout(() => {
      request.destroy(Object.assign(new Error("timed out"), { code: "ETIMEDOUT" }));
    }, timeoutMs);
    request.on("error", (error) => {
      clearTimeout(timer);
      if (request.reusedSocket && (error as NodeJS.ErrnoException).code === "ECONNRESET") {
        // The peer was restarted since the last request: this one never reached it.
        const { agent: _, ...fresh } = options;
        fetchHttp(fresh).then(resolve, reject);
      } else {
        reject(error);
      }
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        clearTimeout(timer);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    request.end(body);
  });
