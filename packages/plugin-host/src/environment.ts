/** What a plugin must be told, as every host of upstream's contract tells it. A test holds these equal to `@wfctl/contract`. */
export const handshakeEnvironment: Readonly<Record<string, string>> = {
  WORKFLOW_PLUGIN: "workflow-external-plugin-v1",
  PLUGIN_MIN_PORT: "10000",
  PLUGIN_MAX_PORT: "25000",
  PLUGIN_PROTOCOL_VERSIONS: "1",
};

/** Inherited, each of these changes how a plugin listens and makes it unreachable. */
const misleading = [
  "PLUGIN_CLIENT_CERT",
  "PLUGIN_MULTIPLEX_GRPC",
  "PLUGIN_UNIX_SOCKET_DIR",
  "PLUGIN_UNIX_SOCKET_GROUP",
];

/** What opens the state is no business of a plugin. */
const keys = ["WFCTL_KEY", "WFCTL_KEY_FILE", "WFCTL_PASSPHRASE"];

/**
 * Environment of a plugin process: what the host has, less what misleads or must not be known, plus the handshake's
 * variables, `WFCTL_NODE` (the Node that launcher scripts exec) and the private folder for its socket.
 */
export function pluginEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  socketDir: string,
): Record<string, string> {
  const environment: Record<string, string> = {};
  const removed = new Set([...misleading, ...keys]);
  for (const [name, value] of Object.entries(inherited)) {
    if (value !== undefined && !removed.has(name)) environment[name] = value;
  }
  Object.assign(environment, handshakeEnvironment);
  environment["WFCTL_NODE"] = process.execPath;
  environment["PLUGIN_UNIX_SOCKET_DIR"] = socketDir;
  return environment;
}
