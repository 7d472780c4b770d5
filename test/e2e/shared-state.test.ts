import { randomBytes } from "node:crypto";
import { createS3Bucket } from "@wfctl/state/s3";
import {
  dumpTables,
  motoProblem,
  postgresProblem,
  startMoto,
  startPostgres,
  type TestServer,
} from "@wfctl/state/test-servers";
import { hasReached, writeFaults } from "@wfctl/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSandbox, elsewhereProblem, type Finished } from "./lib/sandbox.ts";
import { waitUntil } from "./lib/wait-until.ts";

const chain = `
  - {name: a, type: infra.test, config: {value: one, password: hunter2-hunter2}}
  - {name: b, type: infra.test, config: {value: "\${a.endpoint}"}}
  - {name: c, type: infra.test, config: {value: "\${b.endpoint}"}}
`;

interface Store {
  readonly name: string;
  readonly problem: string | undefined;
  start(): Promise<TestServer>;
  config(server: TestServer): string;
  location(server: TestServer): string;
  /** All that is stored, as text. */
  dump(server: TestServer): Promise<string>;
}

const stores: readonly Store[] = [
  {
    name: "s3",
    problem: motoProblem(),
    async start() {
      const server = await startMoto();
      await fetch(`${server.address}/states`, { method: "PUT" });
      return server;
    },
    config: ({ address }) =>
      `backend: s3, bucket: states, endpoint: "${address}", accessKey: id, secretKey: "\${S3_SECRET}"`,
    location: () => "s3://states/iac-state/shop/default/",
    async dump({ address }) {
      const bucket = createS3Bucket({
        bucket: "states",
        endpoint: address,
        accessKeyId: "id",
        secretAccessKey: "none",
      });
      const keys = await bucket.list("");
      const bodies = await Promise.all(keys.map((key) => bucket.get(key)));
      return keys.map((key, index) => `${key}\n${Buffer.from(bodies[index] ?? "").toString()}`).join("\n");
    },
  },
  {
    name: "postgres",
    problem: postgresProblem(),
    start: startPostgres,
    config: ({ address }) => `backend: postgres, dsn: "${address}"`,
    location: ({ address }) => `postgres://${new URL(address).host}/postgres#shop.default`,
    dump: dumpTables,
  },
];

for (const store of stores) {
  describe.skipIf(store.problem !== undefined || elsewhereProblem() !== undefined)(`a state in ${store.name}`, () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await store.start();
    });
    afterAll(() => server.stop());

    test("is made by apply only, held by one, taken over when its holder's lease has run out, and resumed", async () => {
      const box = createSandbox();
      const env = {
        WFCTL_KEY: randomBytes(32).toString("hex"),
        S3_SECRET: "s3-secret-s3-secret",
      };
      const run = (...args: string[]): Promise<Finished> => box.runWith(env, ...args);
      box.write(`  - {name: records, type: iac.state, config: {${store.config(server)}}}${chain}`);

      // Nothing is there, and looking makes nothing.
      expect(await run("plan")).toMatchObject({ code: 0, stdout: expect.stringContaining("3 to create") });
      expect((await run("state", "list")).stderr).toContain(`There is no state at "${store.location(server)}"`);
      const keyless = await box.runWith({ ...env, WFCTL_KEY: undefined }, "apply", "-y");
      expect(keyless).toMatchObject({ code: 1, stderr: expect.stringContaining("a shared state needs a key") });
      expect(await store.dump(server)).toBe("");

      // One holds it.
      writeFaults(box.root, [{ operation: "create", name: "b", nth: 1, holdAfter: "b-made" }]);
      const first = box.startWith({ env: { ...env, WFCTL_TEST_LEASE: "500,8000" }, elsewhere: true }, "apply", "-y");
      await Promise.race([
        waitUntil("b is being made", () => hasReached(box.root, "b-made")),
        first.finished.then(({ stderr, stdout }) => Promise.reject(new Error(`apply ended: ${stdout}${stderr}`))),
      ]);
      const second = await run("apply", "-y");
      expect(second).toMatchObject({ code: 3, stderr: expect.stringContaining("LEASE_HELD") });
      expect((await run("plan")).stdout).toContain("in flight: create b");

      // It dies elsewhere: only time tells.
      first.process.kill("SIGKILL");
      await first.finished;
      let next = await run("apply", "-y");
      for (const until = Date.now() + 90_000; next.code === 3 && Date.now() < until;) next = await run("apply", "-y");
      expect(next).toMatchObject({ code: 0, stdout: expect.stringContaining("create b of run") });
      const created = box.cloud.effects().filter((effect) => effect.kind === "created");
      expect(created.map((effect) => effect.name)).toEqual(["a", "b", "c"]);

      // Reading changes nothing.
      const before = await store.dump(server);
      const looking = ["plan --detailed-exitcode", "status", "state show a", "state lease show", "state doctor"];
      const seen = await Promise.all(looking.map((command) => run(...command.split(" "))));
      expect(seen.map(({ code, stderr }) => [code, stderr])).toEqual(looking.map(() => [0, ""]));
      expect(await store.dump(server)).toBe(before);
      expect(before).toContain("a");
      expect(before).not.toContain("hunter2");
      expect(box.everything()).not.toContain("s3-secret");

      // A new key must be given too; afterwards the old one opens nothing.
      expect((await run("state", "rekey")).stderr).toContain("the new key is not given");
      const newKey = randomBytes(32).toString("hex");
      const rekeyed = await box.runWith({ ...env, WFCTL_NEW_KEY: newKey }, "state", "rekey");
      expect(rekeyed).toMatchObject({ code: 0, stdout: expect.stringContaining("sealed with a new key") });
      expect((await run("state", "compact")).stderr).toContain("KEY_WRONG");
      const withNew = (...args: string[]): Promise<Finished> => box.runWith({ ...env, WFCTL_KEY: newKey }, ...args);
      expect((await withNew("plan", "--detailed-exitcode")).code).toBe(0);
      expect((await withNew("state", "compact")).code).toBe(0);
      expect((await withNew("state", "doctor")).code).toBe(0);
      expect((await withNew("destroy", "-y")).stdout).toContain("3 deleted");
      expect(box.cloud.objects()).toEqual([]);
    });
  });
}
