import { status } from "@grpc/grpc-js";
import { jsonEqual } from "@wfctl/model";
import { expectThat, skipUnless, type SampleScenario } from "../scenario.ts";
import {
  describeEnd,
  diff,
  hasSentinel,
  isQuiet,
  describeDiff,
  read,
  readObject,
  tryCreate,
  tryUpdate,
} from "../subject/driver.ts";

const alreadyExists = "iac: resource already exists";
const validation = "iac: validation error";

export const changeScenarios: readonly SampleScenario[] = [
  {
    id: "create-existing",
    title: "Create of a name that exists fails with already exists, gives the same object, or makes another one",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const made = await objects.make(sample);
      const again = await tryCreate(plugin, sample, made.ref.name, sample.config);
      if (again.ok) {
        const object = readObject("Create", again, made.ref);
        if (object.providerId !== made.ref.providerId)
          objects.track(sample, { ...made.ref, providerId: object.providerId });
      } else {
        expectThat(
          hasSentinel(again, alreadyExists),
          `Create of a name that exists failed with ${describeEnd(again)}, without "${alreadyExists}"`,
        );
      }
      expectThat((await read(plugin, made.ref)) !== undefined, "After a second Create the first object is gone");
    },
  },
  {
    id: "create-foreign",
    title: "Create never takes over an object that another action made",
    contract: "off",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const context = { clientToken: subject.freshToken(), owner: `${subject.run}/first`, run: `${subject.run}-a` };
      const { ref } = await objects.make(sample, { context });
      const before = await read(plugin, ref, { run: `${subject.run}-a` });
      const foreign = { clientToken: subject.freshToken(), owner: `${subject.run}/second`, run: `${subject.run}-b` };
      const again = await tryCreate(plugin, sample, ref.name, sample.change ?? sample.config, foreign);
      if (again.ok) {
        const { providerId } = readObject("Create", again, ref);
        expectThat(
          providerId !== ref.providerId,
          "Create with another client token took over the object of the first one",
        );
        objects.track(sample, { ...ref, providerId });
      } else {
        expectThat(
          again.code === status.ALREADY_EXISTS && hasSentinel(again, alreadyExists),
          `Create of an object of someone else failed with ${describeEnd(again)}, expected ALREADY_EXISTS and "${alreadyExists}"`,
        );
      }
      const after = await read(plugin, ref, { run: `${subject.run}-a` });
      expectThat(after !== undefined, "A create of someone else removed the object");
      expectThat(
        before?.owner === after.owner,
        `A create of someone else changed the owner from "${before?.owner}" to "${after.owner}"`,
      );
      expectThat(jsonEqual(before?.inputs ?? {}, after.inputs ?? {}), "A create of someone else changed the object");
    },
  },
  {
    id: "update",
    title: "Update keeps the id, and afterwards Diff of the new configuration is quiet",
    contract: "required",
    strict: "required",
    scope: "sample",
    waivable: true,
    async run({ subject, objects }, sample) {
      skipUnless(sample.change !== undefined, `the sample of ${sample.type} has no "change"`);
      const { plugin } = await subject.session();
      const { ref } = await objects.make(sample);
      const object = readObject("Update", await tryUpdate(plugin, sample, ref, sample.change), ref);
      expectThat(
        object.providerId === ref.providerId,
        `Update changed the id from "${ref.providerId}" to "${object.providerId}"`,
      );
      const found = await read(plugin, ref);
      expectThat(found !== undefined, "Read does not find the object after Update");
      for (const [source, current] of [
        ["Update", object],
        ["Read", found],
      ] as const) {
        const reply = await diff(plugin, ref, sample.change, current);
        expectThat(isQuiet(reply), `After Update, Diff against what ${source} answered says ${describeDiff(reply)}`);
      }
    },
  },
  {
    id: "update-gone",
    title: "Update of what is gone fails as not found, and makes nothing",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const made = await objects.make(sample);
      await objects.remove(sample, made);
      const ended = await tryUpdate(plugin, sample, made.ref, sample.change ?? sample.config);
      expectThat(
        !ended.ok && hasSentinel(ended),
        `Update of what is gone ended with ${describeEnd(ended)}, expected "iac: resource not found"`,
      );
      expectThat((await read(plugin, made.ref)) === undefined, "Update of what is gone made it again");
    },
  },
  {
    id: "replace",
    title: "Delete and then Create, which is a replace, gives a new object and leaves nothing of the old one",
    contract: "required",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const old = await objects.make(sample);
      await objects.remove(sample, old);
      const made = await objects.make(sample, { name: old.ref.name, config: sample.replace ?? sample.config });
      expectThat((await read(plugin, made.ref)) !== undefined, "Read does not find the object that replaced another");
      if (made.ref.providerId === old.ref.providerId) return;
      expectThat((await read(plugin, old.ref)) === undefined, "Read still finds the object that was replaced");
    },
  },
  {
    id: "invalid-input",
    title: "Create of an invalid configuration is refused as invalid and makes nothing",
    contract: "advised",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const { plugin } = await subject.session();
      const name = subject.freshName(sample.name);
      const config = sample.invalid ?? { ...sample.config, wfctl_conformance_unknown: true };
      const ref = { name, type: sample.type, providerId: "" };
      objects.track(sample, ref);
      const ended = await tryCreate(plugin, sample, name, config);
      expectThat(!ended.ok, "Create accepts a configuration that should be invalid");
      expectThat(
        hasSentinel(ended, validation),
        `Create of an invalid configuration failed with ${describeEnd(ended)}, without "${validation}"`,
      );
      expectThat((await read(plugin, ref)) === undefined, "Create of an invalid configuration made something");
    },
  },
];
