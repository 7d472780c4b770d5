import type { Deviation } from "@wfctl/emulator-core";

/** Where the API takes or gives what its own description, in its newest edition too, does not say. */
export const deviations: readonly Deviation[] = [
  {
    operation: /^(POST|DELETE) \/v2\/tags\/\{tag_id\}\/resources$/,
    pointer: /^\/body\/resources\/\d+\/resource_type$/,
    why: "databases are tagged like droplets and volumes; there is no other way to change their tags",
  },
  {
    operation: /\/v2\/apps/,
    pointer: /\/component\/preserve_path_prefix$/,
    why: "the description calls it a text and shows a boolean; the API gives and takes a boolean",
  },
  {
    operation: /^(POST|PUT) \/v2\/apps/,
    pointer: /^\/body\/spec(\/(services|workers|jobs|static_sites)\/\d+)?\/alerts$/,
    why: "the description knows alerts of functions only; apps and their other components have them as well",
  },
  {
    operation: /^(POST|PUT) \/v2\/apps/,
    pointer: /^\/body\/spec\/features$/,
    why: "the description has no features of an app, which choose its stack of buildpacks",
  },
  {
    operation: /^(POST|PUT) \/v2\/apps/,
    pointer: /^\/body\/spec\/domains\/\d+\/certificate$/,
    why: "the description does not list the certificate of a domain, which the API's own clients send",
  },
  {
    operation: /^(POST|PUT) \/v2\/load_balancers/,
    pointer: /^\/body$/,
    message: /required property '(region|tag|droplet_ids)'/,
    why: "the description wants droplets and a region; a global balancer has neither",
  },
];
