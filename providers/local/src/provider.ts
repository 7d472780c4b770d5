import { hostname } from "node:os";
import { defineProvider, z } from "@wfctl/plugin-sdk";
import { createLocalClient, realPathOf, resolveRoot, type LocalClient } from "./client.ts";
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
  stableIdentity: true,
  identity({ root }) {
    const path = realPathOf(root);
    return { identity: `local:${hostname()}:${path}`, labels: { host: hostname(), root: path } };
  },
});
