import { runCli } from "./cli.ts";
import { processContext } from "./context.ts";

void runCli(process.argv.slice(2), processContext()).then((code) => {
  // Whatever is still open (a worker, a socket) belongs to a command that has ended.
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
});
