import { hasReached, releaseHold, writeFaults } from "@wfctl/testkit";
import { expect, test } from "vitest";
import { createSandbox } from "./lib/sandbox.ts";
import { isRunning, pluginPids } from "./lib/processes.ts";
import { waitUntil } from "./lib/wait-until.ts";

const chain = `
  - {name: a, type: infra.test, config: {value: one}}
  - {name: b, type: infra.test, config: {value: "\${a.endpoint}"}}
  - {name: c, type: infra.test, config: {value: "\${b.endpoint}"}}
`;

/** An answer that comes after the interrupt is waited for four seconds: a busy machine may need more. */
const patient = { env: { WFCTL_TEST_INTERRUPT: "90000,95000,120000" } };
/** Of what never comes nothing is lost by giving it up earlier; what follows has time. */
const brief = { env: { WFCTL_TEST_INTERRUPT: "1000,1500,120000" } };

/** A sandbox with the chain, and an apply in it that has come as far as the fault holds it. */
async function applyUntilHeld(
  fault: { readonly hold: string } | { readonly holdAfter: string },
  options: { readonly env?: Readonly<Record<string, string>>; readonly provider?: string } = {},
) {
  const box = createSandbox();
  box.write(chain, options.provider === undefined ? {} : { provider: options.provider });
  writeFaults(box.root, [{ operation: "create", name: "b", nth: 1, ...fault }]);
  const apply = box.startWith({ env: options.env ?? {} }, "apply", "-y");
  const point = "hold" in fault ? fault.hold : fault.holdAfter;
  await waitUntil(`the create of b is at "${point}"`, () => hasReached(box.root, point));
  return { box, apply };
}

test("the first interrupt takes the answer in flight, skips the rest, and exits 130; the next apply goes on", async () => {
  // A plugin of upstream cannot be stopped: it goes on, and its answer counts.
  const { box, apply } = await applyUntilHeld({ hold: "b-coming" }, { ...patient, provider: "upstreamlike" });
  apply.process.kill("SIGINT");
  await apply.says("Interrupted");
  releaseHold(box.root, "b-coming");
  const { code, stdout } = await apply.finished;
  expect(code).toBe(130);
  expect(stdout).toContain("2 created");
  expect(stdout).toContain("1 skipped");
  expect(stdout).toContain('Run "wfctl apply" again');
  expect(box.cloud.objects().map((object) => object.name)).toEqual(["a", "b"]);
  await waitUntil("the plugins are gone", () => pluginPids(box.cloud).every((pid) => !isRunning(pid)));

  const next = await box.run("apply", "-y");
  expect(next.code).toBe(0);
  expect(next.stdout).toContain("1 created, 2 unchanged");
  expect(box.cloud.objects()).toHaveLength(3);
});

test("an interrupt stops a driver that only waits: what it made is recorded and repaired by the next apply", async () => {
  const { box, apply } = await applyUntilHeld({ holdAfter: "never" }, patient);
  apply.process.kill("SIGINT");
  const { code, stdout } = await apply.finished;
  expect(code).toBe(130);
  expect(stdout).toMatch(/ERROR +INCOMPLETE +create +b/);
  expect(stdout).toMatch(/SKIPPED +CANCELLED +create +c/);

  expect((await box.run("apply", "-y")).code).toBe(0);
  expect(
    box.cloud
      .objects()
      .map((object) => object.name)
      .toSorted(),
  ).toEqual(["a", "b", "c"]);
});

test("SIGTERM exits 143 and kills a plugin that does not answer; the open end is told and nothing else is touched", async () => {
  const { box, apply } = await applyUntilHeld({ hold: "never" }, { ...brief, provider: "upstreamlike" });
  apply.process.kill("SIGTERM");
  const { code, stdout } = await apply.finished;
  expect(code).toBe(143);
  expect(stdout).toMatch(/ERROR +OUTCOME_UNKNOWN +create +b/);
  expect(stdout).toContain("wfctl state resolve b --id ID, or --absent");
  await waitUntil("the plugins are gone", () => pluginPids(box.cloud).every((pid) => !isRunning(pid)));

  const status = await box.run("status");
  expect(status.stdout).toContain('"b" is unknown');
  expect(status.stdout).toContain("lease:    free");
  expect(box.cloud.objects().map((object) => object.name)).toEqual(["a"]);
});

test("the second interrupt exits at once, and no plugin outlives it", async () => {
  const { box, apply } = await applyUntilHeld({ holdAfter: "never" }, patient);
  // Its driver would end its wait with the first interrupt, and the run with it.
  for (const pid of pluginPids(box.cloud)) process.kill(pid, "SIGSTOP");
  apply.process.kill("SIGINT");
  await apply.says("Interrupted");
  apply.process.kill("SIGINT");
  const { code, stdout } = await apply.finished;
  expect(code).toBe(130);
  expect(stdout).not.toContain("Apply was interrupted");
  await waitUntil("the plugins are gone", () => pluginPids(box.cloud).every((pid) => !isRunning(pid)));

  const status = await box.run("status");
  expect(status.stdout).toContain("in flight: create b");
  const next = await box.run("apply", "-y");
  expect(next.stdout).toContain("create b of run");
  expect(next.code).toBe(0);
  expect(box.cloud.objects().map((object) => object.name)).toEqual(["a", "b", "c"]);
});

test("an interrupt while the plan is made changes nothing", async () => {
  const box = createSandbox();
  box.write("  - {name: a, type: infra.test, config: {value: one}}");
  await box.run("apply", "-y");
  writeFaults(box.root, [{ operation: "read", hold: "reading" }]);
  const apply = box.startWith(patient, "apply", "-y", "--refresh");
  await waitUntil("a is being read", () => hasReached(box.root, "reading"));
  apply.process.kill("SIGINT");
  const { code, stderr } = await apply.finished;
  expect(code).toBe(130);
  expect(stderr).toContain("nothing was changed");
  expect((await box.run("status")).stdout).toContain("lease:    free");
});

test("kill -9 between effect and answer: the next apply finds the object and makes no second one", async () => {
  const { box, apply } = await applyUntilHeld({ holdAfter: "b-made" });
  apply.process.kill("SIGKILL");
  expect((await apply.finished).signal).toBe("SIGKILL");
  await waitUntil("the plugins are gone", () => pluginPids(box.cloud).every((pid) => !isRunning(pid)));

  const plan = await box.run("plan");
  expect(plan.code).toBe(0);
  expect(plan.stdout).toContain("in flight: create b");
  const next = await box.run("apply", "-y");
  expect(next.code).toBe(0);
  expect(next.stdout).toContain("create b of run");
  expect(
    box.cloud
      .effects()
      .filter((effect) => effect.kind === "created")
      .map((effect) => effect.name),
  ).toEqual(["a", "b", "c"]);
  expect((await box.run("state", "doctor")).code).toBe(0);
});
