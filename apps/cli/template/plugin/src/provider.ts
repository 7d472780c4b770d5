import { defineProvider, z } from "@wfctl/plugin-sdk";
import { createApi, type Api } from "./api.ts";
import { note } from "./note.ts";

/** What this plugin serves. plugin.json is made from it: `npm run manifest`. */
export const provider = defineProvider<Api, { root: string; token?: string | undefined }>({
  name: "example",
  version: "0.1.0",
  description: "Example resources for wfctl",
  author: "You",
  config: z.strictObject({
    root: z.string().min(1).describe("Folder that stands in for the cloud"),
    token: z.string().optional().describe("Credential of the cloud"),
  }),
  resources: [note],
  clientTokens: true,
  // Calls per second that the cloud allows, by a name of your own: see `context.limit`.
  limits: { notes: { ratePerSecond: 100 } },
  configure: ({ root }) => createApi(root),
  // Two configurations that reach the same objects give the same text. It holds no secret.
  identity: (api) => ({ identity: `example:${api.root}`, labels: { root: api.root } }),
});
