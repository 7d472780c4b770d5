import { parseArgs } from "node:util";
import { startDigitalOcean } from "./start.ts";

const usage = `digitalocean-emulator: a stateful stand-in for the DigitalOcean API and Spaces

  --port N          port of the API (default 8480)
  --spaces-port N   port of Spaces (default 8481)
  --host ADDRESS    default 127.0.0.1
  --token TOKEN     accept this token only; repeat for more (default: any token, each an account of its own)
  --rate N          emulated seconds per real one (default 1; 60 makes a minute pass in a second)
  --log FILE        append every exchange, a line of JSON each
  --help
`;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "8480" },
    "spaces-port": { type: "string", default: "8481" },
    host: { type: "string", default: "127.0.0.1" },
    token: { type: "string", multiple: true },
    rate: { type: "string", default: "1" },
    log: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) process.stdout.write(usage);
else {
  const emulator = await startDigitalOcean({
    port: Number(values.port),
    spacesPort: Number(values["spaces-port"]),
    host: values.host,
    rate: Number(values.rate),
    ...(values.token === undefined ? {} : { tokens: values.token }),
    ...(values.log === undefined ? {} : { logFile: values.log }),
  });
  process.stdout.write(`API ${emulator.url}\nSpaces ${emulator.spacesUrl}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void emulator.close().then(() => process.exit(0)));
  }
}
