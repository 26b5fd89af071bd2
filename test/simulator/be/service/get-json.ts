import { get } from "node:http";

export interface GetOptions {
  readonly timeoutMs: number;
  readonly localAddress: string | undefined;
}

export const getJson = <T>(url: string, { timeoutMs, localAddress }: GetOptions): Promise<T> =>
  new Promise((resolve, reject) => {
    const request = get(
      url,
      { timeout: timeoutMs, ...(localAddress === undefined ? {} : { localAddress }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString()));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    request.on("timeout", () => request.destroy(new Error("timed out")));
    request.on("error", reject);
  });
