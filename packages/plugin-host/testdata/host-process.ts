// A host that ends in the way its argument says.
import { fileURLToPath } from "node:url";

import { createPluginProvider } from "../src/index.ts";

const provider = await createPluginProvider({
  module: "module",
  provider: "upstream",
  config: {},
  pluginDir: fileURLToPath(new URL("plugins", import.meta.url)),
});
process.stdout.write(`${JSON.stringify(provider.process)}\n`);
switch (process.argv[2]) {
  case "exit":
    process.exit(3);
    break;
  case "throw":
    setImmediate(() => {
      throw new Error("the host fails");
    });
    break;
  default:
    setInterval(() => {}, 60_000);
}
