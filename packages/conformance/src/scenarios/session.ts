import {
  bytesToObject,
  decodeDriverDiff,
  decodeDriverObject,
  driverRequestSpec,
  ext,
  extServiceNames,
  jsonToBytes,
  openBidiCall,
  type LiveObject,
} from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";
import { expectThat, Problem, skipUnless, type SampleScenario } from "../scenario.ts";
import { describeStatus } from "../subject/call.ts";
import { isQuiet } from "../subject/driver.ts";
import { requireService, type Session } from "../subject/subject.ts";

type Request = Parameters<
  ReturnType<typeof openBidiCall<typeof ext.DriverRequestsSchema, typeof ext.DriverRepliesSchema>>["send"]
>[0];
type Wanted = Omit<NonNullable<NonNullable<Request["requests"]>[number]>, "id" | "$typeName" | "$unknown">;

/** One stream with one request at a time: progress is passed over. */
async function withStream<T>(
  session: Session,
  timeoutMs: number,
  work: (ask: (wanted: Wanted) => Promise<ext.DriverReply>) => Promise<T>,
): Promise<T> {
  const stream = openBidiCall(session.plugin.client, ext.DriverSession.method.run, {
    deadline: Date.now() + timeoutMs,
  });
  let id = 0n;
  const waiting: ext.DriverReply[] = [];
  const next = async (): Promise<ext.DriverReply> => {
    for (;;) {
      const reply = waiting.shift();
      if (reply !== undefined) return reply;
      const { done, value } = await stream.replies.next();
      if (done) throw new Problem("The plugin ended the driver session with a call unanswered");
      waiting.push(...value.replies);
    }
  };
  try {
    return await work(async (wanted) => {
      id += 1n;
      await stream.send({ requests: [{ ...wanted, id, timeoutMs }] });
      for (let reply = await next(); ; reply = await next()) {
        expectThat(reply.id === id, `The driver session answered request ${reply.id}, asked was ${id}`);
        if (reply.progress === undefined) return reply;
      }
    });
  } catch (error) {
    const { code, details } = error as { code?: number; details?: string };
    if (typeof code !== "number") throw error;
    throw new Problem(`The driver session failed with ${describeStatus({ code, message: details ?? "" })}`);
  } finally {
    stream.end();
    stream.cancel();
  }
}

export const sessionScenarios: readonly SampleScenario[] = [
  {
    id: "session",
    title:
      "the driver session does what the driver's rpcs do: create, read, diff, delete and absence, each with its status",
    contract: "off",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const session = await subject.session();
      requireService(session, extServiceNames.DriverSession, "optional");
      const name = subject.freshName(sample.name);
      const owner = `${subject.run}/${name}`;
      const base = { resourceType: sample.type, name, run: subject.run, owner, clientToken: subject.freshToken() };
      objects.track(sample, { name, type: sample.type, providerId: "" });
      const { DriverOperation } = ext;
      await withStream(session, 4 * sample.timeoutMs, async (ask) => {
        const create = {
          ...base,
          ...driverRequestSpec({ name, type: sample.type, config: sample.config, dependsOn: [] }),
        };
        const made = objectOf("create", await ask({ ...create, operation: DriverOperation.CREATE }));
        const { providerId } = made;
        objects.track(sample, { name, type: sample.type, providerId });
        const found = objectOf("read", await ask({ ...base, operation: DriverOperation.READ, providerId }));
        expectThat(
          found.providerId === providerId,
          `The session's create gave "${providerId}", its read "${found.providerId}"`,
        );
        const known = {
          providerId,
          currentOutputsJson: jsonToBytes(found.outputs),
          currentInputsJson: jsonToBytes(found.inputs as JsonObject | undefined),
        };
        const compared = answered("diff", await ask({ ...create, ...known, operation: DriverOperation.DIFF }));
        expectThat(
          isQuiet(decodeDriverDiff(compared.diff)),
          "Right after create, the session's diff says that something is to do",
        );
        answered("delete", await ask({ ...base, operation: DriverOperation.DELETE, providerId }));
        const gone = answered(
          "read of a deleted object",
          await ask({ ...base, operation: DriverOperation.READ, providerId }),
        );
        expectThat(gone.absent, "The session's read of a deleted object does not say absent");
        const again = await ask({ ...base, operation: DriverOperation.DELETE, providerId });
        expectThat(again.code === 0, `The session's delete of what is gone failed with ${describeStatus(again)}`);
        const odd = await ask({ ...base, resourceType: "wfctl.conformance_unknown", operation: DriverOperation.READ });
        expectThat(
          odd.code !== 0 && !odd.absent,
          "The session's read of a type that the plugin does not have is no error",
        );
      });
    },
  },
  {
    id: "reads-inputs",
    title: "Read gives the live inputs, in which the configuration is found again",
    contract: "off",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { ref, config } = await objects.shared(sample);
      const session = await subject.session();
      skipUnless(
        session.services.has(extServiceNames.DriverSession),
        `the plugin does not advertise ${extServiceNames.DriverSession}`,
      );
      const type = session.types.get(sample.type);
      const hidden = new Set(
        [...(type?.writeOnly ?? []), ...(type?.sensitiveInputs ?? [])].map((path) => path.split(".")[0]),
      );
      await withStream(session, sample.timeoutMs, async (ask) => {
        const reply = await ask({
          resourceType: sample.type,
          name: ref.name,
          providerId: ref.providerId,
          operation: ext.DriverOperation.READ,
        });
        const inputs = objectOf("read", reply).inputs;
        expectThat(
          inputs !== undefined,
          "Read gives no live inputs: drift cannot be seen and updates cannot be undone",
        );
        const schema = bytesToObject(type?.inputSchemaJson ?? new Uint8Array(), "input_schema_json");
        const missing = Object.keys(config).filter((key) => !hidden.has(key) && !Object.hasOwn(inputs, key));
        expectThat(
          missing.length === 0,
          `Read gives live inputs without ${missing.join(", ")}; what cannot be read back is declared as writeOnly`,
        );
        expectThat(schema !== undefined, `${sample.type} publishes no schema of its input`);
      });
    },
  },
];

function answered(call: string, reply: ext.DriverReply): ext.DriverReply {
  if (reply.code === 0) return reply;
  throw new Problem(`The session's ${call} failed with ${describeStatus(reply)}`);
}

function objectOf(call: string, reply: ext.DriverReply): LiveObject {
  const { object } = answered(call, reply);
  if (object === undefined) throw new Problem(`The session's ${call} succeeded without an object`);
  return decodeDriverObject(object);
}
