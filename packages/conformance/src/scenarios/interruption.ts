import { encodeRef, ext, extServiceNames, iac, serverStreamCall } from "@wfctl/contract";
import type { Sample } from "../config/sample.ts";
import {
  expectInTime,
  expectThat,
  Late,
  Problem,
  Skip,
  skipUnless,
  type SampleScenario,
  type Trial,
} from "../scenario.ts";
import { call, describeStatus, responseOf, type Ended } from "../subject/call.ts";
import { describeEnd, partialOf, read, readObject, tryCreate } from "../subject/driver.ts";
import type { Session } from "../subject/subject.ts";
import { within } from "../subject/within.ts";
import { canLookUp, lookUp } from "./tokens.ts";

/** A host cancels what is still open so long after it has told the plugin to stop. */
const stopMs = 4_000;
/** By then a slow create has begun to wait. */
const waitingMs = 20_000;
const deadlineMs = 3_000;

export const interruptionScenarios: readonly SampleScenario[] = [
  {
    id: "stop",
    title: "Stop of a run ends the waiting of its calls within four seconds, and touches no other run",
    contract: "off",
    strict: "required",
    scope: "sample",
    waivable: true,
    async run(trial, sample) {
      const { subject, objects } = trial;
      skipUnless(
        sample.slow !== undefined,
        `the sample of ${sample.type} has no "slow": a configuration whose create waits`,
      );
      const session = await subject.session();
      expectThat(
        session.services.has(extServiceNames.RunControl),
        `The plugin does not advertise ${extServiceNames.RunControl}`,
      );
      const name = subject.freshName(sample.name);
      const context = {
        clientToken: subject.freshToken(),
        owner: `${subject.run}/${name}`,
        run: `${name}-stop`,
      };
      objects.track(sample, { name, type: sample.type, providerId: "" });
      const waiting = watchForWaiting(session, context.clientToken);
      let ended: Ended<ext.StopResponse> | Awaited<ReturnType<typeof tryCreate>> | undefined;
      const creating = tryCreate(session.plugin, sample, name, sample.slow, context).then((result) => (ended = result));
      await Promise.race([creating, waiting.reported, within(new Promise(() => {}), waitingMs)]);
      waiting.end();
      expectThat(
        ended === undefined,
        `The create of "slow" ended by itself with ${ended === undefined ? "" : describeEnd(ended)}; it should wait`,
      );
      responseOf(
        "Stop",
        await call(session.plugin, ext.RunControl.method.stop, { run: context.run }, { timeoutMs: stopMs }),
      );
      expectInTime(await within(creating, stopMs), `The create still waits ${stopMs} ms after Stop of its run`);
      const stopped = await creating;
      const providerId = stopped.ok
        ? readObject("Create", stopped, { name, type: sample.type }).providerId
        : partialOf(stopped)?.providerId;
      if (providerId !== undefined) objects.track(sample, { name, type: sample.type, providerId });
      await expectAccounted(trial, session, sample, { ...context, name, providerId, how: "After Stop" });
      const other = await objects.make(sample, {
        context: { ...context, clientToken: subject.freshToken(), run: `${name}-go` },
      });
      expectThat(
        (await read(session.plugin, other.ref)) !== undefined,
        "After Stop of one run, a create of another does not work",
      );
    },
  },
  {
    id: "partial",
    title: "a create that fails after it made something says what, so that nothing made is lost",
    contract: "off",
    strict: "required",
    scope: "sample",
    waivable: true,
    async run(trial, sample) {
      const { subject, objects } = trial;
      const config = sample.failing ?? sample.slow;
      skipUnless(config !== undefined, `the sample of ${sample.type} has neither "failing" nor "slow"`);
      const session = await subject.session();
      const name = subject.freshName(sample.name);
      const context = {
        clientToken: subject.freshToken(),
        owner: `${subject.run}/${name}`,
        run: `${name}-partial`,
      };
      objects.track(sample, { name, type: sample.type, providerId: "" });
      // A slow create is made to fail by its deadline.
      const timeoutMs = sample.failing === undefined ? deadlineMs : sample.timeoutMs;
      const ended = await tryCreate(session.plugin, { ...sample, timeoutMs }, name, config, context);
      expectThat(
        !ended.ok,
        `The create of "${sample.failing === undefined ? "slow" : "failing"}" succeeded; it should fail`,
      );
      const partial = partialOf(ended);
      if (partial === undefined) {
        const problem = `Create failed with ${describeStatus(ended)} and without wfctl-partial-bin: what it made is lost`;
        // The deadline of a slow create may have come before anything was made.
        throw sample.failing === undefined ? new Late(problem) : new Problem(problem);
      }
      objects.track(sample, { name, type: sample.type, providerId: partial.providerId });
      await expectAccounted(trial, session, sample, {
        ...context,
        name,
        providerId: partial.providerId,
        how: "After a failed create",
      });
    },
  },
  {
    id: "deadline",
    title: "a call whose deadline has passed leaves the plugin working",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref } = await objects.shared(sample);
      const { plugin } = await subject.session();
      const request = { resourceType: ref.type, ref: encodeRef(ref) };
      const { read: readMethod } = iac.ResourceDriver.method;
      await Promise.all(Array.from({ length: 20 }, () => call(plugin, readMethod, request, { timeoutMs: 1 })));
      expectThat(
        (await read(plugin, ref)) !== undefined,
        "After calls that were given up, Read does not find the object",
      );
    },
  },
];

/** What was made is either named by the answer, or found by its token; both mean the same object. */
async function expectAccounted(
  { objects }: Trial,
  session: Session,
  sample: Sample,
  made: { name: string; clientToken: string; owner: string; providerId: string | undefined; how: string },
): Promise<void> {
  if (!canLookUp(session, sample)) {
    if (made.providerId === undefined)
      throw new Skip(`${sample.type} has no lookup: what the call made cannot be found`);
    return;
  }
  const { name, owner } = made;
  const found = await lookUp(session, sample, { token: made.clientToken, name, owner });
  if (found !== undefined) objects.track(sample, { name, type: sample.type, providerId: found.providerId });
  expectThat(
    found?.providerId === made.providerId,
    `${made.how} the answer names ${made.providerId ?? "nothing"}, Lookup finds ${found?.providerId ?? "nothing"}`,
  );
}

/** Resolves when the plugin reports that the call waits; never where it reports nothing. */
function watchForWaiting(session: Session, clientToken: string): { reported: Promise<void>; end(): void } {
  const ending = new AbortController();
  const { watchProgress } = ext.RunControl.method;
  const reports = serverStreamCall(session.plugin.client, watchProgress, {}, { signal: ending.signal });
  const reported = new Promise<void>((resolve) => {
    void (async () => {
      for await (const report of reports) {
        if (report.clientToken === clientToken && report.progress?.waiting === true) resolve();
      }
    })().catch(() => {});
  });
  return { reported, end: () => ending.abort() };
}
