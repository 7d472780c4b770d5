import { parseArgs } from "node:util";
import manifest from "../package.json" with { type: "json" };

const { positionals } = parseArgs({ allowPositionals: true, strict: false });
if (positionals[0] === "version") {
  console.log(manifest.version);
} else {
  console.error("Usage: wfctl version");
  process.exitCode = 1;
}
