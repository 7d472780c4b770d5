import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { derivedSecretName } from "@wfctl/contract";
import { expect, test } from "vitest";
import { createSandbox } from "./lib/sandbox.ts";

const generated = `secrets:
  defaultStore: kept
  generate:
    - {key: SESSION_KEY, type: random_hex, length: 24}
    - {key: DB_URI, type: infra_output, source: db.endpoint}
secretStores:
  kept: {provider: file, config: {path: "./secrets-\${WORKFLOW_ENV}"}}
`;
const stack = `
  - {name: db, type: infra.test, config: {value: v}}
  - {name: api, type: infra.test, config: {settings: {uri: "\${DB_URI}"}, password: "\${SESSION_KEY}"}}
`;

test("generated secrets are made, stored and used in one run, and go with the stack", async () => {
  const box = createSandbox();
  box.write(stack, { extra: generated });
  const planned = await box.run("plan");
  expect(planned.stdout).toContain("secret.SESSION_KEY");
  expect(planned.stdout).toContain("Plan: 4 to create.");
  expect(existsSync(box.path("secrets-default"))).toBe(false);

  const applied = await box.run("apply", "-y");
  expect(applied).toMatchObject({ code: 0 });
  expect(applied.stdout).toContain("4 created");
  const file = (name: string): string => readFileSync(box.path("secrets-default", name), "utf8");
  expect(file("SESSION_KEY")).toMatch(/^[0-9a-f]{48}$/);
  const api = box.cloud.objects().find((object) => object.name === "api");
  expect(api?.inputs).toMatchObject({ password: file("SESSION_KEY"), settings: { uri: file("DB_URI") } });
  expect(file("DB_URI")).toMatch(/^https:\/\/db\./);
  expect(readFileSync(box.path(".wfctl/state/shop.default.db")).includes(file("SESSION_KEY"))).toBe(false);
  expect(applied.stdout + applied.stderr).not.toContain(file("SESSION_KEY"));

  const kept = file("SESSION_KEY");
  const again = await box.run("apply", "-y", "--refresh");
  expect(again.stdout).toContain("No changes. 4 unchanged.");
  expect(file("SESSION_KEY")).toBe(kept);

  expect((await box.run("destroy", "-y")).stdout).toContain("4 deleted");
  expect(readdirSync(box.path("secrets-default"))).toEqual([]);
});

test("a secret that the store holds already is kept, one that is gone is made again and handed on", async () => {
  const box = createSandbox();
  box.write(stack, { extra: generated });
  await box.run("apply", "-y");
  writeFileSync(box.path("secrets-default/SESSION_KEY"), "rotated-by-hand-rotated");
  expect((await box.run("apply", "-y", "--refresh")).code).toBe(0);
  const api = box.cloud.objects().find((object) => object.name === "api");
  expect(api?.inputs).toMatchObject({ password: "rotated-by-hand-rotated" });
});

test("declared secrets are read from their store when the environment does not have them", async () => {
  const box = createSandbox();
  box.write("\n  - {name: api, type: infra.test, config: {password: '${API_TOKEN}'}}\n", {
    extra:
      "secrets: {entries: [{name: API_TOKEN, store: mine}]}\nsecretStores: {mine: {provider: env, config: {prefix: MINE_}}}\n",
  });
  const applied = await box.runWith({ MINE_API_TOKEN: "token-of-mine-1" }, "apply", "-y");
  expect(applied.code).toBe(0);
  expect(box.cloud.objects()[0]?.inputs).toMatchObject({ password: "token-of-mine-1" });
});

test("a declared secret that is missing is told with the place it was looked for in, and what to do", async () => {
  const box = createSandbox();
  const api = "\n  - {name: api, type: infra.test, config: {password: '${API_TOKEN}'}}\n";
  const plan = async (extra: string): Promise<string> => {
    box.write(api, { extra });
    const { code, stdout, stderr } = await box.run("plan");
    expect(code).toBe(1);
    return stdout + stderr;
  };
  const entry = "secrets: {entries: [{name: API_TOKEN, store: mine}]}\nsecretStores: ";
  const ofFile = await plan(`${entry}{mine: {provider: file, config: {path: ./kept}}}\n`);
  expect(ofFile).toContain(
    `the secret store file "${box.path("kept")}" has no "API_TOKEN", and the environment variable`,
  );
  expect(ofFile).toContain(`Put "API_TOKEN" into the secret store file "${box.path("kept")}", or set API_TOKEN`);
  const ofEnv = await plan(`${entry}{mine: {provider: env, config: {prefix: MINE_}}}\n`);
  expect(ofEnv).toContain("the environment variable MINE_API_TOKEN, which its secret store reads, is not set");
  expect(ofEnv).toContain("Set MINE_API_TOKEN or API_TOKEN");
  const ofNone = await plan("secrets: {entries: [{name: API_TOKEN}]}\n");
  expect(ofNone).toContain("the declared secret has no store, and the environment variable is not set");

  box.write("\n  - {name: api, type: infra.test, config: {value: v}}\n", {
    account: "'${API_TOKEN}'",
    extra: `${entry}{mine: {provider: file, config: {path: ./kept}}}\n`,
  });
  const ofModule = await box.run("plan");
  expect(ofModule.code).toBe(1);
  expect(ofModule.stderr).toContain(`Cannot configure "cloud": the secret store file "${box.path("kept")}" has no`);
});

const routed = `secrets: {provider: file, config: {path: ./store}}\n`;

test("secret outputs go to the store, are resolved where they are used, and are revoked with their object", async () => {
  const box = createSandbox();
  const both = `
  - {name: db, type: infra.secret, config: {region: a}}
  - {name: api, type: infra.test, config: {value: "pg://u:\${db.password}@h"}}
`;
  box.write(both, { extra: routed });
  const applied = await box.run("apply", "-y");
  expect(applied).toMatchObject({ code: 0 });
  const name = derivedSecretName("db", "password");
  const secret = (): string => readFileSync(box.path("store", name), "utf8");
  const api = (): unknown => box.cloud.objects().find((object) => object.name === "api")?.inputs;
  const first = secret();
  expect(readdirSync(box.path("store"))).toEqual([name]);
  expect(first).toMatch(/^password-of-/);
  expect(api()).toMatchObject({ value: `pg://u:${first}@h` });
  const shown = await box.run("outputs", "-m", "db", "-S", "--json");
  expect(shown.stdout).toMatch(new RegExp(`"password": ?"secret_ref://${name}#[0-9a-f]{16}"`));
  expect(shown.stdout).not.toContain(first);
  const quiet = await box.run("plan", "--detailed-exitcode", "--refresh");
  expect(quiet.stdout).toContain("No changes. 2 unchanged.");

  // Another object has another password: the consumer gets it in the same run.
  box.write(both.replace("region: a", "region: b"), { extra: routed });
  const changed = await box.run("apply", "-y");
  expect(changed).toMatchObject({ code: 0 });
  expect(secret()).not.toBe(first);
  expect(api()).toMatchObject({ value: `pg://u:${secret()}@h` });

  expect((await box.run("destroy", "-y")).code).toBe(0);
  expect(readdirSync(box.path("store"))).toEqual([]);
});

test("an object whose secrets the store refuses is deleted again", async () => {
  const box = createSandbox();
  box.write("\n  - {name: db, type: infra.secret}\n", { extra: routed });
  writeFileSync(box.path("store"), "in the way");
  const applied = await box.run("apply", "-y");
  expect(applied.code).toBe(1);
  expect(applied.stdout + applied.stderr).toContain("Cannot write");
  expect(applied.stdout).toContain("COMPENSATED");
  expect(applied.stdout + applied.stderr).not.toContain("password-of-");
  expect(box.cloud.objects()).toEqual([]);
  const listed = await box.run("state", "list", "--json");
  expect((JSON.parse(listed.stdout) as { records: unknown[] }).records).toEqual([]);
});
