/** The hand-written part of docs/providers/digitalocean.md. */
export const docsHead = `<!-- Written by \`npm run docs -w providers/digitalocean\`; the text is in providers/digitalocean/src/docs-text.ts. -->

# The DigitalOcean provider

\`\`\`yaml
name: shop
modules:
  - name: do
    type: iac.provider
    config: { provider: digitalocean, region: fra1 }

  - name: net
    type: infra.vpc
    config: { iac_provider: do, ip_range: 10.20.0.0/16 }

  - name: db
    type: infra.database
    size: s
    config:
      iac_provider: do
      engine: pg
      vpc_ref: "\${net.id}"
      trusted_sources: [{ type: app, value: web }]

  - name: web
    type: infra.container_service
    size: xs
    config:
      iac_provider: do
      image: ghcr.io/acme/shop:1.4
      env_vars_secret: { DATABASE_URL: "\${db.uri}" }
\`\`\`

The token comes from \`token\`, else from \`DIGITALOCEAN_TOKEN\` or \`DIGITALOCEAN_ACCESS_TOKEN\`. Buckets need a Spaces key as
well. The identity is \`digitalocean:<team or account>:\`, so that a token of another team is refused.

What holds for all types:

- **Waiting.** A create or update ends when the thing works: the database is online, the deployment is active, the
  certificate is issued. \`timeouts\` of a resource sets the limit; a stopped run stops the waiting, and the id is kept.
- **Marks.** DigitalOcean has no idempotency keys. Where a type has tags, the create call itself carries two of ours, one
  with the client token and one with the owner (\`wfctl-token:…\`, \`wfctl-owner:…\`, the owner in hexadecimal, as tags have no
  reliable case); a create whose answer was lost is found by it and never made twice. Droplets, volumes, databases, caches and clusters have tags;
  an autoscale pool carries its marks in its template. A domain keeps them in text records at \`_wfctl\`, which the create cannot write at once.
  The other types have no place for a mark: they go by their name, which is unique in the account or in the world, and by
  the read that the host makes just before the create. Such a create never takes over what it finds.
- **Names.** \`name\` defaults to the resource's name. Load balancers and droplets may share names at DigitalOcean; a handle
  that fits several is an error that lists them.
- **Sizes.** A tier (\`xs\` to \`xl\`) or DigitalOcean's own word, for every type that has a size. Hosts that resolve tiers
  themselves are told upstream's words; where DigitalOcean has no size of that word (such as \`apps-s-4vcpu-8gb\`) a tier
  stands for the nearest that it has.
- **Rates.** Calls stay within 250 a minute, and wait as long as an answer of status 429 says. Reads are repeated when the
  API does not answer; changes are not.
- **References to later things.** \`trusted_sources\` may name an app, cluster or droplet that does not exist yet. The
  database carries the open names as tags until the finalizer, which runs after all creates and updates, finds them.
- **Upstream.** Keys and outputs of upstream's plugin are understood, as keys or as aliases. \`engine: redis\` is refused:
  DigitalOcean's managed Redis has ended, and Valkey speaks its protocol.

Services beside the resources: enumeration, ownership, drift both ways, plan validation (closed and unknown regions,
networks of another region), regions, revoking Spaces keys, logs of apps (with \`follow\` also as they are written), repair
of dirty migrations, mapping of requirements, and upstream's state backend \`spaces\` with its bootstrap.
`;

/** By type, what the table of keys does not say. */
export const docsNotes: Readonly<Record<string, string>> = {
  "infra.api_gateway":
    "An app of App Platform whose paths lead to several services. Each component needs an image or a repository: upstream's form without either is refused by DigitalOcean. Domains that other resources add are left alone.",
  "infra.app_domain":
    "A domain of an app that another resource makes. Its id is `app-id/domain`. Changes of one app's spec are made in turn, so that domains and the app do not undo each other. The app itself must leave `domains` out.",
  "infra.autoscaling_group":
    "A droplet autoscale pool, dynamic (`min_instances`, `max_instances`, a target) or fixed (`instance_count`). Deleting it deletes its droplets.",
  "infra.cache": "A managed Valkey cluster; everything that is said of `infra.database` holds.",
  "infra.certificate":
    "A certificate of Let's Encrypt for names in domains of this account, or your own. A renewal changes the id and keeps the name, and is followed. Deleting one waits until no load balancer uses it. Nothing can be changed in place.",
  "infra.container_service":
    "An app of App Platform with one main service, and workers, jobs, static sites and sidecars beside it. The whole spec is compared. Values of secrets cannot be read back; which there are can. A deployment that fails fails the create or update, with the platform's reason; the app stays, and the next apply tries again. `domains` left out leaves the app's domains alone. An image of DigitalOcean's own registry is looked for before anything is changed.",
  "infra.database":
    "A managed cluster. Version upgrades, resizing, moving to another region, tags, users, databases and settings happen in place; going back to an older version, another engine or another network replaces it. Names are unique in the account.",
  "infra.dns":
    "A domain and records. Each type and name that stands in `records` belongs to the resource as a whole: other values of it are edited or removed, a set that is dropped from the configuration is deleted, and everything else in the zone is left alone. Which sets are the resource's stands in text records at `_wfctl` of the zone.",
  "infra.droplet":
    "A virtual machine. Size (with a power cycle), name, tags, backups, IPv6 (on), and volumes change in place. Volumes are detached before the droplet is deleted. Names need not be unique.",
  "infra.firewall":
    "A cloud firewall. `ports` may be a port, a range or `all`; the order of rules and addresses does not matter. A create ends when the rules have reached the droplets.",
  "infra.iam_role":
    "DigitalOcean has no roles. The type is accepted so that one file serves several clouds: nothing is made, and nothing of the input is echoed.",
  "infra.k8s_cluster":
    "A cluster with a first pool (`node_…` keys) and further pools. Another `node_size` makes a new first pool before the old one goes. Version upgrades happen in place; `latest` and a short version follow what is there. Deleting waits until the cluster is gone.",
  "infra.load_balancer":
    "A regional, network or global load balancer. Keys that are left out keep their live value in an update. `certificate_name` in a rule survives the renewal of the certificate. There are no tags on the balancer itself.",
  "infra.registry":
    "A container registry, by its name: several can exist in an account, and deleting one never touches another. The tier is the account's, and an update changes it for all.",
  "infra.spaces_key":
    "An access key for Spaces. The secret is told once, by the create: a key whose answer was lost is replaced at once, and an imported key has no secret.",
  "infra.storage":
    "A Spaces bucket. Its id is its name; the region is found. With `force_destroy` an object `.wfctl-force-destroy` lies in the bucket and allows the delete to empty it. Needs a Spaces key.",
  "infra.volume":
    "Block storage. It grows in place and never shrinks: a smaller size is a new volume. It is detached before it is deleted. `description` counts at creation only, as the API cannot change it.",
  "infra.vpc": "A private network. Deleting it waits until its members have left.",
};
