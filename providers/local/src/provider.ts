import { mkdirSync, realpathSync } from "node:fs";
import { hostname } from "node:os";
import { defineProvider, z } from "@wfctl/plugin-sdk";
import { createLocalClient, resolveRoot, type LocalClient } from "./client.ts";
import { resources } from "./resources/index.ts";

export const localProvider = defineProvider<LocalClient, { root?: string | undefined }>({
  name: "local",
  version: "0.1.0",
  description: "Realises infrastructure on this machine: directories and supervised processes",
  author: "wfctl contributors",
  license: "MIT",
  config: z.strictObject({
    root: z
      .string()
      .regex(/^(?:\/|~\/)/, { error: 'expected an absolute path or one that starts with "~/"' })
      .optional()
      .describe("Folder that holds everything the provider makes. Default: $XDG_STATE_HOME/wfctl/local"),
  }),
  resources,
  clientTokens: true,
  configure: ({ root }) => createLocalClient(resolveRoot(root, process.env)),
  identity({ root }) {
    // The real path is the same whichever way leads to it.
    mkdirSync(root, { recursive: true, mode: 0o700 });
    const path = realpathSync(root);
    return { identity: `local:${hostname()}:${path}`, labels: { host: hostname(), root: path } };
  },
});
