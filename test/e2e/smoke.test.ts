import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { motoProblem } from "../../providers/aws/test/testing/moto.ts";
import { readJournal, type JournaledRun } from "./lib/journal.ts";
import { localObjects, startSmokeStand, type SmokeStack, type SmokeStand } from "./lib/smoke-stand.ts";

const problem = motoProblem();
if (problem !== undefined) console.warn(`The smoke test of several providers is skipped: ${problem}`);
const setUpLimitMs = 600_000;
const limitMs = 480_000;

/** Each provider needs what another one made: local, aws, digitalocean, aws, local. */
const chain = `
  - name: site
    type: infra.storage
    config: { iac_provider: here, files: { greeting.txt: { content: "hello" } } }
  - name: net
    type: infra.vpc
    config: { iac_provider: amazon, cidr: 10.50.0.0/16, tags: { site: "\${site.name}" } }
  - name: ocean-net
    type: infra.vpc
    config: { iac_provider: ocean, ip_range: 10.60.0.0/16, description: "beside \${net.id}" }
  - name: web
    type: infra.droplet
    config: { iac_provider: ocean, size: xs, vpc_uuid: "\${ocean-net.id}", tags: ["of-\${net.id}"] }
  - name: fence
    type: infra.firewall
    config:
      iac_provider: amazon
      vpc_id: \${net.id}
      ingress_rules: [{ port: 443, cidr: "\${web.public_ip}/32" }]
  - name: facts
    type: infra.storage
    config: { iac_provider: here, files: { facts.txt: { content: "\${fence.id} \${ocean-net.id} \${web.public_ip}" } } }
`;
const names = ["site", "net", "ocean-net", "web", "fence", "facts"];

describe.skipIf(problem !== undefined)(
  "aws, digitalocean and local, installed from their packages, in one stack",
  () => {
    let stand: SmokeStand;
    const open = async (resources: string): Promise<SmokeStack> => {
      const stack = await stand.stack(resources);
      onTestFinished(() => {
        stand.digitalocean.faults.clear();
        expect(stack.aws.violations, "requests that AWS's models do not allow").toEqual([]);
        expect(stand.digitalocean.defects(), "what DigitalOcean's description does not allow").toEqual([]);
      });
      return stack;
    };
    beforeAll(async () => {
      stand = await startSmokeStand();
    }, setUpLimitMs);
    afterAll(() => stand?.close());

    const journal = ({ folder }: SmokeStack): JournaledRun[] => readJournal(folder, "smoke.default.db");
    /** What became of each resource of the last run. */
    const ends = (stack: SmokeStack): Record<string, string> => {
      const actions = journal(stack).at(-1)?.actions ?? [];
      return Object.fromEntries(
        actions.map(({ kind, name, statuses, code }) => [
          `${kind} ${name}`,
          [...statuses, ...(code === undefined ? [] : [code])].join(" "),
        ]),
      );
    };
    /** What a stack has in each of its three places. */
    const objects = async (stack: SmokeStack): Promise<string[]> => {
      const account = stand.digitalocean.account(stack.token);
      const ocean = {
        droplet: account.droplets,
        network: account.vpcs,
        tag: account.tags,
        firewall: account.firewalls,
      };
      return [
        ...localObjects(stack).map((name) => `directory ${name}`),
        ...(await stack.awsObjects()),
        ...Object.entries(ocean).flatMap(([kind, collection]) =>
          collection
            .all()
            .filter((each) => each["default"] !== true)
            .map((each) => `${kind} ${each["name"] as string}`),
        ),
      ].map((each) => each.replace(/-[0-9a-f]{8}$/, ""));
    };
    /** No action of any run has no outcome, or two, except those that an undo rewrites. */
    const expectOneOutcomeEach = (stack: SmokeStack): void => {
      for (const { actions } of journal(stack)) {
        for (const { name, statuses } of actions) {
          const written = statuses.filter((status) => !status.startsWith("COMPENSAT"));
          expect([name, written.length, statuses.length - written.length <= 1]).toEqual([name, 1, true]);
        }
      }
    };
    const destroy = async (stack: SmokeStack): Promise<void> => {
      expect(await stack.wfctl("destroy", "-y")).toMatchObject({ code: 0 });
      expectOneOutcomeEach(stack);
      // Tags of the user outlive what carried them, at DigitalOcean too; marks do not.
      expect((await objects(stack)).filter((each) => !each.startsWith("tag of-"))).toEqual([]);
    };

    test(
      "each answered v2, each action has one outcome, values cross from cloud to cloud, destroy leaves nothing",
      async () => {
        const stack = await open(chain);
        const applied = await stack.wfctl("apply", "-y", "--json");
        expect(applied.code, applied.stdout + applied.stderr).toBe(0);

        const [run, ...others] = journal(stack);
        expect(others).toEqual([]);
        const answered = run?.plugins.map(({ provider, plugin, computePlanVersion }) => [
          provider,
          plugin,
          computePlanVersion,
        ]);
        expect(answered?.toSorted()).toEqual([
          ["amazon", "workflow-plugin-aws", "v2"],
          ["here", "workflow-plugin-local", "v2"],
          ["ocean", "workflow-plugin-digitalocean", "v2"],
        ]);
        expect(run?.end).toBe("succeeded");
        expect(run?.actions.map(({ name, statuses }) => [name, statuses]).toSorted()).toEqual(
          names.map((name) => [name, ["SUCCESS"]]).toSorted(),
        );
        const result = JSON.parse(applied.stdout.trim().split("\n").at(-1) ?? "") as { result: { actions: unknown[] } };
        expect(result.result.actions).toHaveLength(names.length);

        const state = JSON.parse((await stack.wfctl("state", "list", "--json")).stdout) as {
          records: { name: string; providerId: string; outputs: Record<string, unknown> }[];
        };
        const idOf = (name: string): string => state.records.find((each) => each.name === name)?.providerId ?? "";
        const account = stand.digitalocean.account(stack.token);
        const network = account.vpcs.all().find(({ id }) => id === idOf("ocean-net"));
        const droplet = account.droplets.all()[0] as { networks: { v4: { type: string; ip_address: string }[] } };
        const address = droplet.networks.v4.find(({ type }) => type === "public")?.ip_address;
        expect(network?.["description"]).toBe(`beside ${idOf("net")}`);
        expect(readFileSync(`${idOf("facts")}/facts.txt`, "utf8")).toBe(
          `${idOf("fence")} ${idOf("ocean-net")} ${address}`,
        );
        expect(await objects(stack)).toEqual(
          expect.arrayContaining(["directory site", `VPC ${idOf("net")}`, "droplet web", "network ocean-net"]),
        );

        expect((await stack.wfctl("plan", "--refresh", "--detailed-exitcode")).code).toBe(0);
        await destroy(stack);
      },
      limitMs,
    );

    test(
      "one provider fails in the middle: under stop and continue what is done stays, under compensate nothing of it",
      async () => {
        const old = "\n  - { name: old, type: infra.vpc, config: { iac_provider: ocean, ip_range: 10.70.0.0/16 } }";
        const extra = `
  - name: extra
    type: infra.vpc
    config: { iac_provider: amazon, cidr: 10.80.0.0/16, tags: { beside: "\${ocean-net.id}" } }
  - name: more
    type: infra.vpc
    config: { iac_provider: ocean, ip_range: 10.90.0.0/16, description: "beside \${extra.id}" }
  - name: last
    type: infra.storage
    config: { iac_provider: here, files: { last.txt: { content: "\${more.id}" } } }
`;
        const stack = await open(chain + old);
        expect(await stack.wfctl("apply", "-y")).toMatchObject({ code: 0 });
        const before = await objects(stack);
        stack.write(chain + extra);
        const denied = { operation: "ec2.CreateVpc", fault: { error: "UnauthorizedOperation", status: 403 } };

        stack.aws.fail(denied);
        expect(await stack.wfctl("apply", "-y", "--on-failure", "stop")).toMatchObject({ code: 1 });
        expect(ends(stack)).toMatchObject({
          "create extra": "ERROR FORBIDDEN",
          "create more": expect.stringMatching(/^SKIPPED (DEPENDENCY_FAILED|RUN_STOPPED)$/) as string,
          "create last": expect.stringMatching(/^SKIPPED (DEPENDENCY_FAILED|RUN_STOPPED)$/) as string,
          "delete old": "SKIPPED RUN_STOPPED",
        });
        expect(await objects(stack)).toEqual(before);

        stack.aws.reset();
        stack.aws.fail(denied);
        expect(await stack.wfctl("apply", "-y", "--on-failure", "continue")).toMatchObject({ code: 1 });
        expect(ends(stack)).toEqual({
          "create extra": "ERROR FORBIDDEN",
          "create more": "SKIPPED DEPENDENCY_FAILED",
          "create last": "SKIPPED DEPENDENCY_FAILED",
          "delete old": "SUCCESS",
        });
        const without = before.filter((each) => each !== "network old");
        expect(await objects(stack)).toEqual(without);

        stand.digitalocean.faults.add({
          operation: "vpcs_create",
          effect: "status",
          status: 422,
          body: { id: "unprocessable_entity", message: "no more networks" },
        });
        const undone = await stack.wfctl("apply", "-y", "--on-failure", "compensate");
        expect(undone.code).toBe(1);
        expect(undone.stdout + undone.stderr).toContain("no more networks");
        expect(ends(stack)).toMatchObject({
          "create extra": "SUCCESS COMPENSATED",
          "create more": "ERROR VALIDATION",
          "create last": expect.stringMatching(/^SKIPPED/) as string,
        });
        expect(await objects(stack)).toEqual(without);

        expect(await stack.wfctl("apply", "-y", "--on-failure", "compensate")).toMatchObject({ code: 0 });
        expect(ends(stack)).toEqual({ "create extra": "SUCCESS", "create more": "SUCCESS", "create last": "SUCCESS" });
        await destroy(stack);
      },
      limitMs,
    );

    test.each([
      ["digitalocean", "ocean", "web"],
      ["aws", "amazon", "net"],
    ])(
      "the plugin %s killed in the middle: apply settles what it did, nothing is there twice",
      async (plugin, module, resource) => {
        const stack = await open(chain);
        const kill = (): void => {
          const found = journal(stack)
            .flatMap(({ plugins }) => plugins)
            .find(({ provider }) => provider === module);
          const commandLine = `/proc/${found?.pid}/cmdline`;
          // It runs from its package, not from this repository.
          if (existsSync(commandLine)) {
            expect(readFileSync(commandLine, "utf8")).toContain(`/data/plugins/${plugin}/dist/main.js`);
          }
          if (found === undefined) throw new Error("The journal names no process of the plugin");
          process.kill(found.pid, "SIGKILL");
        };
        let kills = 0;
        const once = (): void => {
          if ((kills += 1) === 1) kill();
        };
        stack.aws.onAnswer("ec2.CreateVpc", () => (plugin === "aws" ? once() : undefined));
        const sent =
          plugin === "digitalocean"
            ? stand.digitalocean.journal
                .next(
                  ({ operation, account }) => operation === "droplets_create" && account === stack.token,
                  AbortSignal.timeout(limitMs),
                )
                .then(once)
            : undefined;
        const first = await stack.wfctl("apply", "-y");
        await sent;
        expect(kills).toBeGreaterThan(0);
        // The host starts the plugin again and resolves what was open, in this run or at the latest in the next.
        const second = await stack.wfctl("apply", "-y");
        expect(second.code, `${first.stdout}${first.stderr}\n${second.stdout}${second.stderr}`).toBe(0);
        expect((await stack.wfctl("plan", "--refresh", "--detailed-exitcode")).code).toBe(0);
        expectOneOutcomeEach(stack);
        const made = journal(stack).flatMap(({ actions }) => actions.filter(({ name }) => name === resource));
        expect(made.filter(({ kind, statuses }) => kind === "create" && statuses.includes("SUCCESS"))).toHaveLength(1);
        const there = (await objects(stack)).filter((each) => /^(VPC|droplet|security group|network) /.test(each));
        expect(there).toHaveLength(4);
        await destroy(stack);
      },
      limitMs,
    );

    test(
      "the plugin killed in its finalizer: the next apply, with nothing else to do, lets in what was deferred",
      async () => {
        const stack = await open(`
  - name: shop-db
    type: infra.database
    config: { iac_provider: ocean, engine: pg, trusted_sources: [{ type: app, value: shop-web }] }
  - name: shop-web
    type: infra.container_service
    config:
      iac_provider: ocean
      image: docker.io/library/nginx:1
      env_vars_secret: { DATABASE_URL: "\${shop-db.uri}" }
`);
        const account = stand.digitalocean.account(stack.token);
        const rules = (): unknown[] => account.databases.all()[0]?.rules ?? [];
        // The database comes first, as the app needs its address: who may connect can only be said afterwards.
        const asked = stand.digitalocean.journal.next(
          ({ operation, account: name }) => operation === "databases_update_firewall_rules" && name === stack.token,
          AbortSignal.timeout(limitMs),
        );
        stand.digitalocean.faults.add({
          operation: "databases_update_firewall_rules",
          effect: "status",
          status: 503,
          body: { id: "server_error", message: "later" },
        });
        const killed = asked.then(() => {
          const { pid } = journal(stack)
            .flatMap(({ plugins }) => plugins)
            .find(({ provider }) => provider === "ocean")!;
          try {
            process.kill(pid, "SIGKILL");
          } catch {
            // On a busy machine it has had the refusal and was ended by the host: the finalizer is owed all the same.
          }
        });
        const first = await stack.wfctl("apply", "-y");
        await killed;
        expect(first.code, first.stdout + first.stderr).toBe(1);
        expect(rules()).toEqual([]);
        expect(journal(stack).flatMap(({ actions }) => actions.map(({ statuses }) => statuses))).toEqual([
          ["SUCCESS"],
          ["SUCCESS"],
        ]);
        const second = await stack.wfctl("apply", "-y");
        expect(second.code, second.stdout + second.stderr).toBe(0);
        expect(rules()).toMatchObject([{ type: "app", value: account.apps.all()[0]?.app["id"] }]);
        expect((await stack.wfctl("plan", "--refresh", "--detailed-exitcode")).code).toBe(0);
        await destroy(stack);
      },
      limitMs,
    );
  },
);
