import { parseArgs } from "node:util";
import { isFault, type Fault } from "@wfctl/emulator-core";
import { startDigitalOcean } from "./start.ts";

const usage = `digitalocean-emulator: a stateful stand-in for the DigitalOcean API and Spaces

  --port N          port of the API (default 8480; 0 takes a free one)
  --spaces-port N   port of Spaces (default 8481; 0 takes a free one)
  --host ADDRESS    default 127.0.0.1
  --token TOKEN     accept this token only; repeat for more (default: any token, each an account of its own)
  --rate N          emulated seconds per real one (default 1; 60 makes a minute pass in a second; 0 stops the clock)
  --lag MS          hide what is new, and show what is deleted, that long
  --rate-limit N    calls a minute for each token; then 429 (default: none)
  --fault JSON      disturb requests; repeat for more, such as
                    '{"operation": "droplets_create", "effect": "lose_reply"}'
                    effects: status, drop, lose_reply, hang, delay; see docs/emulators.md
  --log FILE        append every exchange, a line of JSON each
  --help

It prints its addresses when it listens, keeps everything in memory, and ends with SIGINT or SIGTERM. Further switches, with
curl while it runs, are under /_emulator/: state, exchanges, clock, faults, settings.
`;

const options = {
  port: { type: "string", default: "8480" },
  "spaces-port": { type: "string", default: "8481" },
  host: { type: "string", default: "127.0.0.1" },
  token: { type: "string", multiple: true },
  rate: { type: "string", default: "1" },
  lag: { type: "string", default: "0" },
  "rate-limit": { type: "string" },
  fault: { type: "string", multiple: true },
  log: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

/** Ends the program with a word about the command line. */
function refuse(problem: string): never {
  process.stderr.write(`digitalocean-emulator: ${problem}\n  hint: digitalocean-emulator --help\n`);
  process.exit(1);
}

function readArguments() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error instanceof Error ? (error.message.split(". ")[0] ?? error.message) : String(error));
  }
}

function numberOf(flag: string, text: string, most: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= most)) {
    refuse(`--${flag} is "${text}" and should be a number from 0 to ${most}`);
  }
  return value;
}

function faultOf(text: string): Fault {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return refuse(`--fault is ${text} and should be JSON`);
  }
  return isFault(given) ? given : refuse(`--fault is ${text} and should be an object with an effect`);
}

const values = readArguments();
if (values.help) {
  process.stdout.write(usage);
} else {
  const limit = values["rate-limit"];
  const [port, spacesPort] = [
    numberOf("port", values.port, 65_535),
    numberOf("spaces-port", values["spaces-port"], 65_535),
  ];
  const faults = (values.fault ?? []).map(faultOf);
  const lagMs = numberOf("lag", values.lag, Number.MAX_SAFE_INTEGER);
  const rateLimit = limit === undefined ? undefined : numberOf("rate-limit", limit, Number.MAX_SAFE_INTEGER);
  const emulator = await startDigitalOcean({
    port,
    spacesPort,
    host: values.host,
    rate: numberOf("rate", values.rate, Number.MAX_SAFE_INTEGER),
    ...(values.token === undefined ? {} : { tokens: values.token }),
    ...(values.log === undefined ? {} : { logFile: values.log }),
  }).catch((error: unknown) => refuse(`cannot listen: ${error instanceof Error ? error.message : String(error)}`));
  emulator.lag.lagMs = lagMs;
  emulator.limits.limit = rateLimit;
  for (const fault of faults) emulator.faults.add(fault);
  process.stdout.write(`API ${emulator.url}\nSpaces ${emulator.spacesUrl}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void emulator.close().then(() => process.exit(0)));
  }
}
