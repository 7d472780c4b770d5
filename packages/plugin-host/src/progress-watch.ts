import type { Client } from "@grpc/grpc-js";
import { ext, serverStreamCall } from "@wfctl/contract";
import type { CallOptions } from "@wfctl/engine";

/**
 * What a plugin reports of calls that did not come by session, told apart by client token. The stream is opened with the
 * first call that wants it and lives as long as the plugin; without it calls go on in silence.
 */
export function createProgressWatch(client: Client): (options: CallOptions) => () => void {
  const listeners = new Map<string, NonNullable<CallOptions["onProgress"]>>();
  let watching = false;
  const watch = async (): Promise<void> => {
    try {
      for await (const { clientToken, progress } of serverStreamCall(client, ext.RunControl.method.watchProgress, {})) {
        if (progress === undefined) continue;
        const { message, waiting, limited } = progress;
        listeners.get(clientToken)?.({ message, waiting, ...(limited ? { limited } : {}) });
      }
    } catch {
      // A plugin that does not serve it, or is gone.
    }
  };
  return ({ clientToken, onProgress }) => {
    if (clientToken === undefined || onProgress === undefined) return () => {};
    listeners.set(clientToken, onProgress);
    if (!watching) {
      watching = true;
      void watch();
    }
    return () => {
      if (listeners.get(clientToken) === onProgress) listeners.delete(clientToken);
    };
  };
}
