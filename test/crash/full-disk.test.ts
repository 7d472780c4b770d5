import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
  type StatsFs,
} from "node:fs";
import { emergencyPath, openSqliteStore, resolveKey, writeEmergency } from "@wfctl/state";
import { hasReached, releaseHold, writeFaults } from "@wfctl/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { createSandbox, type Sandbox } from "../e2e/lib/sandbox.ts";
import { waitUntil } from "../e2e/lib/wait-until.ts";

const stack = `
  - {name: a, type: infra.test, config: {value: one, password: hunter2-hunter2}}
  - {name: b, type: infra.test, config: {value: "\${a.id}"}}
  - {name: c, type: infra.test, config: {value: "\${b.id}"}}
`;

/** Of the system, not of this repository. */
const programs = { mount: "mount", umount: "umount" };

/** Why no file system can be mounted here; undefined where one can. */
function mountProblem(): string | undefined {
  if (process.platform !== "linux") return "tmpfs is mounted on Linux only";
  const { status } = spawnSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
  return status === 0 ? undefined : "mounting is not allowed here";
}

/** A small disk of its own for the state of the stack. */
interface Disk {
  fill(): void;
  makeRoom(): void;
  makeReadOnly(): void;
  makeWritable(): void;
}

function mountDisk(box: Sandbox): Disk {
  const place = box.path(".wfctl");
  mkdirSync(place);
  mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", place);
  onTestFinished(() => void spawnSync(programs.umount, ["--lazy", place]));
  const filler = box.path(".wfctl", "filler");
  return {
    fill() {
      const { bavail, bsize }: StatsFs = statfsSync(place);
      writeFileSync(filler, Buffer.alloc(bavail * bsize));
      expect(statfsSync(place).bavail).toBe(0);
    },
    makeRoom: () => rmSync(filler),
    makeReadOnly: () => mount("-o", "remount,ro", place),
    makeWritable: () => mount("-o", "remount,rw", place),
  };
}

function mount(...args: string[]): void {
  const { status, stderr } = spawnSync(programs.mount, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}

const problem = mountProblem();
const created = (box: Sandbox) => box.cloud.effects().flatMap(({ kind, name }) => (kind === "created" ? [name] : []));

describe.skipIf(problem !== undefined)(`a disk of its own${problem === undefined ? "" : ` (${problem})`}`, () => {
  test.each([
    ["full", true],
    ["full", false],
    ["read-only", true],
    ["read-only", false],
  ] as const)("that is %s before the start (new state: %s): apply refuses, and asks nothing", async (how, isNew) => {
    const box = createSandbox();
    const disk = mountDisk(box);
    box.write(stack);
    if (!isNew) expect((await box.run("apply", "-y")).code).toBe(0);
    const before = box.cloud.calls().length;
    box.write(stack.replace("one", "two"));
    if (how === "full") disk.fill();
    else disk.makeReadOnly();
    const refused = await box.run("apply", "-y");
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toMatch(/Error: (Making|Opening) the state '.*' failed[^]*\(STORE_UNAVAILABLE\)/);
    // What only looks goes on.
    expect((await box.run("plan")).stdout).toContain(isNew ? "Plan: 3 to create" : "Plan: 1 to update");
    expect(
      box.cloud
        .calls()
        .slice(before)
        .filter(({ operation }) => operation !== "diff"),
    ).toEqual([]);
    if (how === "full") disk.makeRoom();
    else disk.makeWritable();
    expect((await box.run("apply", "-y")).code).toBe(0);
    expect([created(box), (await box.run("state", "doctor")).code]).toEqual([["a", "b", "c"], 0]);
  });

  test("that fills up in the middle: what was done is told, and the next apply settles it", async () => {
    const box = createSandbox();
    const disk = mountDisk(box);
    box.write(stack);
    writeFaults(box.root, [{ operation: "create", name: "b", nth: 1, holdAfter: "b-made" }]);
    const first = box.start("apply", "-y");
    await waitUntil("b is made", () => hasReached(box.root, "b-made"));
    disk.fill();
    releaseHold(box.root, "b-made");
    const ended = await first.finished;
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain("OUTCOME_UNRECORDED");
    expect(ended.stderr).toMatch(
      /What could not be recorded is in|Not recorded: create b: SUCCESS, the object is test-2/,
    );
    expect(ended.stdout + ended.stderr).not.toContain("hunter2");
    disk.makeRoom();
    expect((await box.run("apply", "-y")).code).toBe(0);
    expect(created(box)).toEqual(["a", "b", "c"]);
    expect([(await box.run("state", "doctor")).code, (await box.run("plan", "--detailed-exitcode")).code]).toEqual([
      0, 0,
    ]);
  });
});

describe("outcomes that wait in an emergency file", () => {
  /** An apply that dies with b made, and what it would have left had the store refused the outcome. */
  async function leaveEmergency(providerId?: string): Promise<{ readonly box: Sandbox; readonly path: string }> {
    const box = createSandbox();
    box.write(stack);
    writeFaults(box.root, [{ operation: "create", name: "b", nth: 1, holdAfter: "b-made" }]);
    const first = box.start("apply", "-y");
    await waitUntil("b is made", () => hasReached(box.root, "b-made"));
    first.process.kill("SIGKILL");
    await first.finished;
    releaseHold(box.root, "b-made");
    const database = box.path(".wfctl", "state", "shop.default.db");
    const [keyFile] = readdirSync(box.path("config", "wfctl", "keys"));
    const key = await resolveKey({
      env: { WFCTL_KEY_FILE: box.path("config", "wfctl", "keys", keyFile!) },
      lineage: keyFile!.replace(".key", ""),
      shared: false,
      ci: false,
      createIfMissing: false,
    });
    const store = await openSqliteStore({ path: database, key: key!.key, readOnly: true });
    const [intent] = (await store.load()).openRuns[0]!.openIntents;
    const { after, run, action } = intent!;
    const made = box.cloud.objects().find(({ name }) => name === "b")!;
    const outputs = { endpoint: "https://b" };
    const path = emergencyPath(database, run);
    const put = { ...after!, providerId: providerId ?? made.id, outputs, sensitiveOutputs: [] };
    const outcome = { action, status: "SUCCESS", attempts: 1, durationMs: 1 } as const;
    writeEmergency(path, run, [{ kind: "outcome", run, outcome, record: { put } }], store.sealer!);
    await store.close();
    return { box, path };
  }

  test("are told by plan and recorded by the next apply, before it asks anything", async () => {
    const { box, path } = await leaveEmergency();
    expect((await box.run("plan")).stderr).toContain(`are not in the state yet but in ${path}`);
    expect(existsSync(path)).toBe(true);
    const next = await box.run("apply", "-y");
    expect(next.code).toBe(0);
    expect(next.stderr).toContain("is in the state now");
    expect(next.stderr).not.toContain("Resolving what earlier runs left open");
    expect([existsSync(path), created(box)]).toEqual([false, ["a", "b", "c"]]);
    expect([(await box.run("state", "doctor")).code, (await box.run("plan", "--detailed-exitcode")).code]).toEqual([
      0, 0,
    ]);
  });

  test("that contradict the journal are refused, and nothing is lost", async () => {
    const { box, path } = await leaveEmergency("test-77");
    const kept = readFileSync(path);
    rmSync(path);
    expect((await box.run("apply", "-y")).code).toBe(0);
    writeFileSync(path, kept);
    // The journal says that b ended as the file does: whichever object it was, nothing was lost.
    expect((await box.run("apply", "-y")).stderr).toContain("is recorded already");
    const wrong = await leaveEmergency("test-77");
    writeFaults(wrong.box.root, [{ operation: "lookup", error: "forbidden" }]);
    const held = readFileSync(wrong.path);
    rmSync(wrong.path);
    expect((await wrong.box.run("apply", "-y")).code).not.toBe(0);
    writeFileSync(wrong.path, held);
    for (const command of [
      ["apply", "-y"],
      ["destroy", "-y"],
      ["state", "doctor", "--repair"],
    ]) {
      const refused = await wrong.box.run(...command);
      expect([command[0], refused.code]).toEqual([command[0], 1]);
      expect(refused.stderr).toContain(`contradict the journal: there "b" is test-77`);
    }
    expect(readFileSync(wrong.path).equals(held)).toBe(true);
  });

  test("in a file that is damaged stop every command that would write", async () => {
    const { box, path } = await leaveEmergency();
    writeFileSync(path, `{"$sealed":"torn\n${readFileSync(path, "utf8")}`);
    const refused = await box.run("apply", "-y");
    expect([refused.code, created(box)]).toEqual([1, ["a", "b"]]);
    expect(refused.stderr).toContain("line 1 is damaged");
  });
});
