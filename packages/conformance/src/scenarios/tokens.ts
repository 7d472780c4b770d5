import { decodeDriverObject, decodeReplyTrailers, ext, extServiceNames, type LiveObject } from "@wfctl/contract";
import type { Sample } from "../config/sample.ts";
import { expectThat, Problem, Skip, skipUnless, type SampleScenario } from "../scenario.ts";
import { call, responseOf } from "../subject/call.ts";
import { readObject, tryCreate, tryDelete } from "../subject/driver.ts";
import type { Session } from "../subject/subject.ts";
import { eventually } from "../subject/within.ts";

const defaultSettleMs = 30_000;

/** Undefined where the plugin says that no object carries the token. */
export async function lookUp(
  session: Session,
  sample: Sample,
  query: { token: string; name: string; owner?: string },
): Promise<LiveObject | undefined> {
  const request = {
    resourceType: sample.type,
    clientToken: query.token,
    name: query.name,
    owner: query.owner ?? "",
  };
  const { found, object } = responseOf("Lookup", await call(session.plugin, ext.ClientTokens.method.lookup, request));
  if (!found) return undefined;
  if (object === undefined) throw new Problem("Lookup found an object and answered without it");
  return decodeDriverObject(object);
}

export function canLookUp(session: Session, sample: Sample): boolean {
  return session.services.has(extServiceNames.ClientTokens) && session.types.get(sample.type)?.lookup === true;
}

function settleOf(session: Session, sample: Sample): number {
  const declared = session.types.get(sample.type)?.settleMs ?? 0;
  return declared === 0 ? defaultSettleMs : declared;
}

function isConvergent(session: Session, sample: Sample): boolean {
  return session.types.get(sample.type)?.convergentCreate === true;
}

export const tokenScenarios: readonly SampleScenario[] = [
  {
    id: "recoverable",
    title: "the type declares lookup or a convergent create, so that a killed run is recovered without a person",
    contract: "off",
    strict: "required",
    scope: "sample",
    waivable: true,
    async run({ subject }, sample) {
      const session = await subject.session();
      expectThat(
        canLookUp(session, sample) || isConvergent(session, sample),
        `${sample.type} declares neither convergent_create nor lookup`,
      );
    },
  },
  {
    id: "create-says-created",
    title: "the reply of a create says that this call made the object",
    contract: "off",
    strict: "required",
    scope: "sample",
    async run({ subject, objects }, sample) {
      const context = { clientToken: subject.freshToken(), owner: `${subject.run}/x`, run: subject.run };
      const { object } = await objects.make(sample, { context });
      expectThat(
        object.created === true,
        `The trailer wfctl-created is ${object.created ?? "absent"}, expected true: without it a create cannot be undone safely`,
      );
    },
  },
  {
    id: "create-convergent",
    title: "Create again with the same client token, later or at the same time, gives the same object",
    contract: "off",
    strict: "required",
    scope: "sample",
    waivable: true,
    async run({ subject, objects }, sample) {
      const session = await subject.session();
      skipUnless(isConvergent(session, sample), `${sample.type} does not declare convergent_create`);
      const name = subject.freshName(sample.name);
      const context = { clientToken: subject.freshToken(), owner: `${subject.run}/${name}`, run: subject.run };
      const { ref } = await objects.make(sample, { name, context });
      const ended = await tryCreate(session.plugin, sample, name, sample.config, context);
      const again = readObject("Create with the same client token", ended, ref);
      if (again.providerId !== ref.providerId) {
        objects.track(sample, { ...ref, providerId: again.providerId });
        throw new Problem(
          `Create with the same client token made a second object: "${ref.providerId}" and "${again.providerId}"`,
        );
      }
      const created = ended.ok ? decodeReplyTrailers(ended.trailers).created : undefined;
      expectThat(created !== true, "The second Create with one client token says that it made the object");

      const pair = subject.freshName(sample.name);
      const shared = { clientToken: subject.freshToken(), owner: `${subject.run}/${pair}`, run: subject.run };
      const both = await Promise.all([
        tryCreate(session.plugin, sample, pair, sample.config, shared),
        tryCreate(session.plugin, sample, pair, sample.config, shared),
      ]);
      const ids = new Set<string>();
      for (const each of both) {
        if (each.ok) ids.add(readObject("Create", each, { name: pair, type: sample.type }).providerId);
      }
      for (const providerId of ids) objects.track(sample, { name: pair, type: sample.type, providerId });
      expectThat(ids.size > 0, "Of two creates with one client token at the same time none succeeded");
      expectThat(ids.size === 1, `Two creates with one client token at the same time made ${[...ids].join(" and ")}`);
    },
  },
  {
    id: "lookup",
    title:
      "Lookup finds what a create with the token made, and says of other tokens and of deleted objects that there is nothing",
    contract: "off",
    strict: "required",
    scope: "sample",
    waivable: true,
    async run({ subject, objects }, sample) {
      const session = await subject.session();
      skipUnless(canLookUp(session, sample), `${sample.type} does not declare lookup`);
      const name = subject.freshName(sample.name);
      const token = subject.freshToken();
      const owner = `${subject.run}/${name}`;
      const { ref } = await objects.make(sample, { name, context: { clientToken: token, owner, run: subject.run } });
      const found = await eventually(() => lookUp(session, sample, { token, name, owner }), settleOf(session, sample));
      expectThat(found !== undefined, "Lookup does not find what a create with its token made");
      expectThat(
        found.providerId === ref.providerId,
        `Lookup found "${found.providerId}", Create made "${ref.providerId}"`,
      );
      const other = await lookUp(session, sample, { token: subject.freshToken(), name, owner });
      expectThat(other === undefined, `Lookup of a token that nobody used found "${other?.providerId}"`);
      const ended = await tryDelete(session.plugin, sample, ref);
      expectThat(ended.ok, "Delete failed");
      const gone = await eventually(
        async () => ((await lookUp(session, sample, { token, name, owner })) === undefined ? true : undefined),
        settleOf(session, sample),
      );
      expectThat(gone === true, "Lookup still finds an object that was deleted");
    },
  },
  {
    id: "recovery",
    title: "after the plugin was killed, a new process finds the object of the token and makes no second one",
    contract: "off",
    strict: "required",
    scope: "sample",
    waivable: true,
    async run({ subject, objects }, sample) {
      const first = await subject.session();
      const byLookup = canLookUp(first, sample);
      const convergent = isConvergent(first, sample);
      if (!byLookup && !convergent) throw new Skip(`${sample.type} declares neither convergent_create nor lookup`);
      const name = subject.freshName(sample.name);
      const context = { clientToken: subject.freshToken(), owner: `${subject.run}/${name}`, run: subject.run };
      const { ref } = await objects.make(sample, { name, context });
      first.plugin.kill();
      await first.plugin.exited;
      const second = await subject.session();
      if (byLookup) {
        const query = { token: context.clientToken, name, owner: context.owner };
        const found = await eventually(() => lookUp(second, sample, query), settleOf(second, sample));
        expectThat(found !== undefined, "A new process does not find by Lookup what the killed one had made");
        expectThat(
          found.providerId === ref.providerId,
          `A new process found "${found.providerId}", the killed one made "${ref.providerId}"`,
        );
      }
      if (convergent) {
        const again = readObject(
          "Create in a new process",
          await tryCreate(second.plugin, sample, name, sample.config, context),
          ref,
        );
        if (again.providerId === ref.providerId) return;
        objects.track(sample, { ...ref, providerId: again.providerId });
        throw new Problem("Create with the same client token made a second object in a new process");
      }
    },
  },
];
