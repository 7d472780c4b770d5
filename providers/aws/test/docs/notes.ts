/** What stands before the tables of docs/providers/aws.md. */
export const introduction = `# The AWS provider

Realises the \`infra.*\` types in an AWS account. This page is made from the code; \`npx vitest run providers/aws/test/docs.test.ts -u\`
writes it anew.

\`\`\`yaml
name: shop
modules:
  - name: cloud
    type: iac.provider
    config:
      provider: aws
      region: eu-central-1
      allowed_account_ids: ["123456789012"]
      default_tags: { team: shop }

  - name: net
    type: infra.vpc
    config:
      iac_provider: cloud
      cidr: 10.0.0.0/16
      subnets:
        public-a: { cidr: 10.0.0.0/24, zone: a, public: true }
        public-b: { cidr: 10.0.1.0/24, zone: b, public: true }
        private-a: { cidr: 10.0.10.0/24, zone: a }
        private-b: { cidr: 10.0.11.0/24, zone: b }
      nat_gateways: single
\`\`\`

Credentials are found in this order: \`assume_role_with_web_identity\`, a static pair, a profile, then what the AWS SDK finds
(environment, shared files, SSO, container, instance). On top of them the roles of \`assume_role\` are assumed one after the
other. Temporary credentials are renewed before they expire.

The identity is \`aws:<partition>:<account>:<region>:<endpoint>\`: state that was written for another account is refused.

**Regions.** Every regional type takes a \`region\` of its own. The id of an object outside the provider's region ends with
\`@<region>\` where AWS's own id does not tell it, such as \`vpc-0123@eu-west-1\`; keys that take ids drop the ending again.

**Marks.** Everything carries the tags \`wfctl:name\`, \`wfctl:token\` and \`wfctl:owner\` (\`<stack lineage>/<resource>\`), written in
the call that makes it. By them a create that was cut off is found and finished, and nothing is taken over in passing.
\`default_tags\` take effect at the next create or update of a resource.

**Optional parts.** A key marked "taken away when dropped" is looked after from the moment it is configured: what others set
there before is left alone until then, and what was configured goes when the key is dropped.

**Import** takes the id that state holds, an ARN, AWS's own id, or the name. **Rates**: calls stay within what AWS grants by
default (\`limit_rates: false\` turns that off), and what is throttled is repeated.

**Emulators, and stores with S3's API.** Their address is \`endpoint\`, \`endpoints\` by service, \`AWS_ENDPOINT_URL\`,
\`AWS_ENDPOINT_URL_S3\` and their like, or \`endpoint_url\` of the profile; buckets are then in the path. Such a server may
know a part of AWS. Without STS the account is an access key of twelve digits, else \`000000000000\`. A call that one can do
without is left out with a note, such as the parts of a bucket that are as they are by default; what the configuration asks
for and the server lacks fails by the name of the call. A store that keeps no tags of buckets cannot tell whose a bucket
is: there a create that was cut off meets its own bucket and asks for it to be adopted. What a server
shows otherwise than it was told, right after it was told, is told again once where a create dropped it. What it then still
does not keep is said in a note and marked on the object (tag \`wfctl:unkept\`): a plan is quiet about exactly that until the
configuration or the object says something else. AWS's own addresses are never marked, and there every difference shows.
moto 5.2 was tried with all types, ministack 1.5 with what it has: created, changed and deleted. moto starts no tasks (a service counts as
steady after 20 s without an event), has no tags of scalable targets, no change of a cache's replicas and of a certificate's
logging, says of a deleted cache for ever that it is being deleted (after 20 s it counts as gone), and knows AWS's own
policies with \`MOTO_IAM_LOAD_MANAGED_POLICIES=true\` alone. ministack has no Application Auto Scaling and no change of node groups, and without Docker an
update of a service's tasks does not come to its end (\`wait_for_steady_state: false\` does not wait for it). Tried as well: s3rver, versitygw, gofakes3.`;

/** What the tables of a type cannot say. */
export const notes: Readonly<Record<string, string>> = {
  "infra.certificate":
    "Its id is its ARN. With `hosted_zone_id` the driver makes the validation records and waits until the certificate is issued; without, `validation_records` can go into an `infra.dns`, and a listener that uses the certificate waits for it",
  "infra.container_service":
    "Its id is the service's ARN. The cluster is made where it is missing and deleted with the last service; execution role and log group are the service's own unless given. A create or update ends when the service is steady, and fails with the reason of the stopped task. `http_port` and `instance_count` are other names of `ports` and `replicas`",
  "infra.database":
    "Its id is its ARN. Without `master_password` RDS makes the password and keeps it in Secrets Manager (`master_secret_arn`). A subnet group is made from `subnet_ids`",
  "infra.dns":
    "Its id is the zone's, with the prefix `/hostedzone/`. Which records are its own is kept in TXT records `_wfctl` of the zone, as digests, in the same batch as the records: others are left alone. `domain` is another name of `domain_name`",
  "infra.firewall":
    "Its id is the group's. `group` of a rule may name another firewall of the same VPC; two that name each other are completed at the end of the run. A rule without a source is open to all of IPv4, as upstream has it; the validator warns",
  "infra.iam_role": "Its id is its ARN",
  "infra.load_balancer":
    "Its id is its ARN. Target groups and listeners are its parts: a group whose port or protocol changes gets a successor before the old one goes",
  "infra.storage": "Its id is the bucket's name",
  "infra.vpc":
    "Its id is the VPC's. Subnets, gateways, addresses and route tables are its parts, known by their tags: a create that was cut off goes on where it stopped, and what disappeared is made again by an update. A subnet whose range or zone changes is replaced. Endpoints of `interface_endpoints` are parts, too: they leave a subnet before it goes",
};
