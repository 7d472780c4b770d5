/** gRPC metadata of ResourceDriver calls, from host to plugin. Peers that do not know a key ignore it. */
export const requestKeys = {
  /** Same text for all attempts of one action. */
  clientToken: "wfctl-client-token",
  /** Ownership mark `<stack lineage>/<resource>`. */
  owner: "wfctl-owner",
  run: "wfctl-run",
  /** Configuration instance of `Configurations.Open`. */
  instance: "wfctl-instance",
  /** Decimal text of `DriverRequest.priority`. */
  priority: "wfctl-priority",
  /** W3C trace context. */
  traceparent: "traceparent",
} as const;

/** gRPC trailers of ResourceDriver calls, from plugin to host. Keys that end in `-bin` hold bytes. */
export const trailerKeys = {
  /** `true` where this call made the object, `false` where it found it. */
  created: "wfctl-created",
  /** `ext.PartialResult`: what a failed call had already made. */
  partial: "wfctl-partial-bin",
  /** `ext.LiveState`. */
  live: "wfctl-live-bin",
  /** Decimal milliseconds after which a retry makes sense. */
  retryAfter: "wfctl-retry-after-ms",
} as const;
