import { onTestFinished } from "vitest";
import { createDigitalOceanService } from "../service.ts";
import { startDigitalOcean, type DigitalOceanEmulator, type DigitalOceanOptions } from "../start.ts";

export interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read any shape
  readonly body: any;
  readonly headers: Headers;
}

export interface Client {
  readonly emulator: DigitalOceanEmulator;
  call(method: string, path: string, body?: unknown, token?: string): Promise<Answer>;
}

const service = createDigitalOceanService();

/** An emulator of the test's own, and raw calls to it. */
export async function begin(options: DigitalOceanOptions = {}): Promise<Client> {
  const emulator = await startDigitalOcean({ service, rate: 0, ...options });
  onTestFinished(() => emulator.close());
  return {
    emulator,
    async call(method, path, body, token = "token-a") {
      const url = path.startsWith("http") ? path : `${emulator.url}${path.startsWith("/") ? path : `/v2/${path}`}`;
      const response = await fetch(url, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    },
  };
}
