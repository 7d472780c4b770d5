import { join } from "node:path";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { signSharedKey } from "../../azure/sign.ts";
import { startProgram, type TestServer } from "./server.ts";

/** The account that azurite knows from its start. Its key is no secret: it stands in Microsoft's documentation. */
export const azuriteAccount = {
  accountName: "devstoreaccount1",
  accountKey: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
} as const;

/** Azurite's blobs, empty, in memory. `address` is the account's. */
export async function startAzurite(): Promise<TestServer> {
  const main = fileURLToPath(import.meta.resolve("azurite/dist/src/blob/main.js"));
  const directory = mkdtempSync(join(tmpdir(), "wfctl-azurite-"));
  const args = [main, "--inMemoryPersistence", "--blobPort", "0", "--disableTelemetry"];
  const { said, stop } = await startProgram(process.execPath, args, /listens on http:\/\/127\.0\.0\.1:(\d+)/, {
    cwd: directory,
  });
  return {
    address: `http://127.0.0.1:${said}/${azuriteAccount.accountName}`,
    async stop() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function createContainer({ address }: TestServer, name: string): Promise<void> {
  const url = new URL(`${address}/${name}?restype=container`);
  const account = { name: azuriteAccount.accountName, key: azuriteAccount.accountKey };
  const { method, headers } = signSharedKey({ method: "PUT", url, headers: {} }, account, new Date());
  const { status } = await fetch(url, { method, headers });
  if (status !== 201) throw new Error(`Azurite answered ${status} to a new container`);
}
