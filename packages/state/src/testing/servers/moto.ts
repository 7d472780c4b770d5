import { join } from "node:path";
import { prepareMoto } from "@wfctl/object-store/moto-environment";
import { startProgram, type TestServer } from "./server.ts";

export { motoProblem } from "@wfctl/object-store/moto-environment";

/** S3 of moto, empty. Makes moto's virtual environment where it is missing. */
export async function startMoto(): Promise<TestServer> {
  const { said, stop } = await startProgram(
    await prepareMoto(),
    [join(import.meta.dirname, "moto_server.py")],
    /^(\d+)$/m,
    { env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" } },
  );
  return { address: `http://127.0.0.1:${said}`, stop };
}
