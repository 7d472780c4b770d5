import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { hasReached, releaseHold, writeFaults } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";
import { createSandbox } from "./lib/sandbox.ts";
import { waitUntil } from "./lib/wait-until.ts";

const one = "  - {name: db, type: infra.test, config: {value: x, password: hunter2-hunter2}}";

describe("the lease", () => {
  test("is held by one run: a second one exits 3 and says who has it, reading commands go on", async () => {
    const box = createSandbox();
    box.write(one);
    writeFaults(box.root, [{ operation: "create", nth: 1, hold: "creating" }]);
    const first = box.start("apply", "-y");
    await waitUntil("the object is being made", () => hasReached(box.root, "creating"));

    const second = await box.run("apply", "-y");
    expect(second.code).toBe(3);
    expect(second.stderr).toContain("wfctl apply");
    expect((await box.run("plan")).code).toBe(0);
    expect((await box.run("state", "lease", "show")).stdout).toContain(`process: ${first.process.pid}`);

    releaseHold(box.root, "creating");
    expect((await first.finished).code).toBe(0);
    expect((await box.run("state", "lease", "show")).stdout).toContain("Nobody holds the lease");
  });

  test("can be broken by hand: its holder stops, and the next run resolves what it left", async () => {
    const box = createSandbox();
    box.write(`${one}\n  - {name: api, type: infra.test, config: {value: "\${db.endpoint}"}}`);
    writeFaults(box.root, [{ operation: "create", name: "db", nth: 1, holdAfter: "made" }]);
    const first = box.start("apply", "-y");
    await waitUntil("the object is made", () => hasReached(box.root, "made"));
    const lease = JSON.parse((await box.run("state", "lease", "show", "--json")).stdout) as { id: number };
    expect((await box.run("state", "lease", "break", String(lease.id + 1))).code).toBe(1);
    expect((await box.run("state", "lease", "break", String(lease.id))).code).toBe(0);
    releaseHold(box.root, "made");
    const ended = await first.finished;
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain("LEASE_LOST");

    expect((await box.run("apply", "-y")).code).toBe(0);
    // What the first run could not record is kept beside the state until it is read back or found to be known.
    expect((await box.run("state", "doctor", "--repair")).code).toBe(0);
    expect((await box.run("state", "doctor")).stdout).toContain("The state is sound.");
    expect(
      box.cloud
        .effects()
        .filter((effect) => effect.kind === "created")
        .map((effect) => effect.name),
    ).toEqual(["db", "api"]);
  });
});

describe("state doctor", () => {
  test("of a damaged file ends with 5, whether it shall repair or not; what is not there is an error", async () => {
    const box = createSandbox();
    box.write(one);
    expect((await box.run("state", "doctor", "--repair")).code).toBe(1);
    expect((await box.run("apply", "-y")).code).toBe(0);
    const file = box.path(".wfctl/state/shop.default.db");
    const whole = readFileSync(file);
    for (const damaged of [Buffer.from("no state at all"), whole.subarray(0, whole.length - 8192)]) {
      writeFileSync(file, damaged);
      for (const flags of [[], ["--repair"]]) {
        const { code, stdout } = await box.run("state", "doctor", ...flags);
        expect({ flags, code, told: /^ +error Reading the state .* failed: .*\[integrity\]$/m.test(stdout) }).toEqual({
          flags,
          code: 5,
          told: true,
        });
      }
    }
  });
});

describe("a resource whose end nobody can tell", () => {
  const upstream = { provider: "upstreamlike" };

  test("exits 5, is left alone, and is settled by hand with its id", async () => {
    const box = createSandbox();
    box.write(one, upstream);
    writeFaults(box.root, [
      { operation: "create", nth: 1, crash: "after" },
      { operation: "read", error: "forbidden" },
    ]);
    const applied = await box.run("apply", "-y");
    expect(applied.code).toBe(5);
    expect(applied.stdout).toContain("wfctl state resolve db --id ID");
    const [object] = box.cloud.objects();

    writeFaults(box.root, []);
    const wrong = await box.run("state", "resolve", "db", "--id", "no-such-id");
    expect(wrong.code).toBe(1);
    const resolved = await box.run("state", "resolve", "db", "--id", object!.id);
    expect(resolved.stdout + resolved.stderr).toContain(object!.id);
    expect((await box.run("apply", "-y")).code).toBe(0);
    expect(box.cloud.effects().filter((effect) => effect.kind === "created")).toHaveLength(1);
  });

  test("is made again once it is settled as absent", async () => {
    const box = createSandbox();
    box.write(one, upstream);
    writeFaults(box.root, [
      { operation: "create", nth: 1, crash: "before" },
      { operation: "read", error: "forbidden" },
    ]);
    expect((await box.run("apply", "-y")).code).toBe(5);
    expect((await box.run("state", "resolve", "db", "--absent")).code).toBe(0);
    writeFaults(box.root, []);
    expect((await box.run("apply", "-y")).code).toBe(0);
    expect(box.cloud.objects()).toHaveLength(1);
    expect((await box.run("state", "resolve", "db", "--absent")).stderr).toContain("RESOURCE_UNKNOWN");
  });
});

describe("the key", () => {
  test("is asked for where it is missing, and a wrong one is refused at once", async () => {
    const box = createSandbox();
    box.write(one);
    await box.run("apply", "-y");
    const away = { XDG_CONFIG_HOME: box.path("elsewhere") };
    expect((await box.runWith(away, "plan")).stderr).toContain("KEY_REQUIRED");
    expect((await box.runWith({ WFCTL_KEY: "A".repeat(43) }, "plan")).stderr).toContain("KEY_WRONG");
    const shown = await box.runWith(away, "state", "show", "db");
    expect(shown.code).toBe(0);
    expect(shown.stdout).not.toContain("hunter2-hunter2");
    expect((await box.runWith(away, "status")).stdout).toContain("no key was found");
  });

  test("can be changed, and the old one opens the state no more", async () => {
    const box = createSandbox();
    box.write(one);
    await box.run("apply", "-y");
    const [file] = readdirSync(box.path("config/wfctl/keys"));
    const old = readFileSync(box.path("config/wfctl/keys", file!), "utf8").trim();
    expect((await box.run("state", "rekey")).code).toBe(0);
    expect((await box.runWith({ WFCTL_KEY: old }, "plan")).stderr).toContain("KEY_WRONG");
    const planned = await box.run("plan", "--detailed-exitcode");
    expect(planned.code).toBe(0);
    expect((await box.run("state", "show", "db", "-S")).stdout).toContain("hunter2-hunter2");
  });

  test("can be lost: the secrets are dropped, and the next plan reads and compares", async () => {
    const box = createSandbox();
    box.write(`
  - {name: db, type: infra.secret, config: {region: a}}
  - {name: api, type: infra.test, config: {value: "pg://u:\${db.password}@h"}}
`);
    await box.run("apply", "-y");
    const away = { XDG_CONFIG_HOME: box.path("elsewhere") };
    expect((await box.runWith(away, "state", "rekey", "--drop-secrets")).stderr).toContain("CONFIRMATION_REQUIRED");
    expect((await box.runWith(away, "state", "rekey", "--drop-secrets", "-y")).code).toBe(0);
    const healed = await box.runWith(away, "apply", "-y");
    expect(healed.code, healed.stdout + healed.stderr).toBe(0);
    expect((await box.runWith(away, "plan", "--detailed-exitcode")).code).toBe(0);
    expect(box.cloud.objects()).toHaveLength(2);
  });

  test("must be given in CI, and so must the word for a new state", async () => {
    const box = createSandbox();
    box.write(one);
    const key = "x8fS0wQ5bq3l5aXc4oVtqf0mJt7V0c2b1m0iYQWnJ3E";
    expect((await box.runWith({ CI: "true" }, "apply", "-y")).stderr).toContain("STATE_NEW");
    expect((await box.runWith({ CI: "true" }, "apply", "-y", "--new-state")).stderr).toContain("KEY_REQUIRED");
    expect(readdirSync(box.directory)).not.toContain(".wfctl");
    expect((await box.runWith({ CI: "true", WFCTL_KEY: key }, "apply", "-y", "--new-state")).code).toBe(0);
    expect((await box.runWith({ CI: "true", WFCTL_KEY: key }, "apply", "-y")).code).toBe(0);
  });
});

describe("records of upstream", () => {
  const record = (name: string, id: string): string =>
    JSON.stringify({
      resource_id: name,
      resource_type: "infra.test",
      provider: "cloud",
      provider_ref: "cloud",
      provider_id: id,
      status: "active",
      config: { value: "x" },
      outputs: {},
      created_at: "2025-01-01T00:00:00Z",
      updated_at: "2025-01-01T00:00:00Z",
    });

  test("beside an empty stack stop plan and apply, are imported once, and are compared by the next plan", async () => {
    const box = createSandbox();
    const state = "  - {name: records, type: iac.state, config: {backend: filesystem, directory: ./.state}}";
    // The object that upstream made.
    box.write("  - {name: db, type: infra.test, config: {value: x}}");
    await box.run("apply", "-y");
    const [object] = box.cloud.objects();
    box.write(`${state}\n  - {name: db, type: infra.test, config: {value: x}}`);
    mkdirSync(box.path(".state"));
    writeFileSync(box.path(".state/db.json"), record("db", object!.id));
    writeFileSync(box.path(".state/metadata.json"), "{}");

    for (const command of ["plan", "apply"]) {
      const { code, stderr } = await box.run(command, ...(command === "apply" ? ["-y"] : []));
      expect(code).toBe(1);
      expect(stderr).toContain("STATE_FOREIGN");
      expect(stderr).toContain("wfctl state import --from");
    }
    expect((await box.run("state", "import", "--from", ".state")).stdout).toContain("1 record is imported: db");
    expect((await box.run("state", "list")).stdout).toContain("imported");
    expect((await box.run("state", "import", "--from", ".state")).code).toBe(1);
    expect((await box.run("apply", "-y")).code).toBe(0);
    expect(box.cloud.effects().filter((effect) => effect.kind === "created")).toHaveLength(1);
    expect((await box.run("state", "list")).stdout).not.toContain("imported");
  });

  test("of a module that the stack does not have are refused, and nothing is imported", async () => {
    const box = createSandbox();
    box.write("");
    mkdirSync(box.path("old"));
    writeFileSync(box.path("old/db.json"), record("db", "1").replaceAll('"cloud"', '"other"'));
    expect((await box.run("state", "import", "--from", "old")).stderr).toContain("CONFIG_INVALID");
    expect((await box.run("state", "import", "--from", "nowhere")).stderr).toContain("USAGE");
    expect((await box.run("state", "list")).code).toBe(1);
  });
});

describe("a state backend", () => {
  test.each(["memory", "gcs", "zookeeper"])("%s is refused by name", async (backend) => {
    const box = createSandbox();
    box.write(`  - {name: records, type: iac.state, config: {backend: ${backend}}}\n${one}`);
    const { code, stderr } = await box.run("plan");
    expect(code).toBe(1);
    expect(stderr).toContain(`the backend "${backend}" of "records"`);
    expect(stderr).toContain("infra.yaml:");
  });

  test("sqlite keeps the state at its path", async () => {
    const box = createSandbox();
    box.write(`  - {name: records, type: iac.state, config: {backend: sqlite, path: kept/here.db}}\n${one}`);
    expect((await box.run("apply", "-y")).code).toBe(0);
    expect(readdirSync(box.path("kept"))).toContain("here.db");
  });
});

test("untaint turns a replacement into a comparison", async () => {
  const box = createSandbox();
  box.write(one, { provider: "upstreamlike" });
  writeFaults(box.root, [{ operation: "create", nth: 1, reply: "wrong-type" }]);
  expect((await box.run("apply", "-y")).stdout).toContain("BAD_RESULT");
  expect((await box.run("plan")).stdout).toContain("1 to replace");
  expect((await box.run("state", "untaint", "db")).stdout).toContain("not tainted any more");
  expect((await box.run("plan")).stdout).not.toContain("replace");
  expect((await box.run("state", "untaint", "db")).stdout).toContain("is not tainted");
  expect((await box.run("state", "untaint", "dbx")).stderr).toContain('Did you mean "db"');
});

test("compact keeps the records", async () => {
  const box = createSandbox();
  box.write(one);
  await box.run("apply", "-y");
  expect((await box.run("state", "compact")).code).toBe(0);
  expect((await box.run("plan", "--detailed-exitcode")).code).toBe(0);
});
