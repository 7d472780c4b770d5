/** What host and plugin agree on before the first call. */
export const handshake = {
  /** Environment variable that proves to a plugin that a host started it, and its value. */
  cookieName: "WORKFLOW_PLUGIN",
  cookieValue: "workflow-external-plugin-v1",
  /** First field of the handshake line. */
  coreVersion: 1,
  /** Second field, and what `PLUGIN_PROTOCOL_VERSIONS` offers. */
  protocolVersion: 1,
  /** Fifth field; a line without one means this. */
  transport: "grpc",
  /** Service name that a plugin reports to the health service. */
  healthService: "plugin",
  /** From launch to the handshake line. */
  startTimeoutMs: 60_000,
  /** From Shutdown to SIGKILL. */
  exitTimeoutMs: 2_000,
} as const;

/** What a host sets for the plugin it starts, beside what it inherits. */
export const pluginEnvironment: Readonly<Record<string, string>> = {
  [handshake.cookieName]: handshake.cookieValue,
  PLUGIN_MIN_PORT: "10000",
  PLUGIN_MAX_PORT: "25000",
  PLUGIN_PROTOCOL_VERSIONS: String(handshake.protocolVersion),
};

/**
 * What a host must not let a plugin inherit: each of these changes how a go-plugin process listens, and an inherited
 * one makes it unreachable.
 */
export const strippedEnvironment = [
  "PLUGIN_CLIENT_CERT",
  "PLUGIN_MULTIPLEX_GRPC",
  "PLUGIN_UNIX_SOCKET_DIR",
  "PLUGIN_UNIX_SOCKET_GROUP",
] as const;

/** Plugins of the Go kind receive at most this much in one message. */
export const maxRequestBytes = 4 * 1024 * 1024;
