import { ext, extServiceNames, jsonToBytes } from "@wfctl/contract";
import { expectThat, type Scenario } from "../scenario.ts";
import { call, describeStatus, responseOf, type Ended } from "../subject/call.ts";
import { requireService, type Session } from "../subject/subject.ts";

const openMs = 120_000;

export const configurationScenarios: readonly Scenario[] = [
  {
    id: "configurations",
    title: "a second configuration opens beside the first, answers by its name alone, and is gone when it is closed",
    contract: "off",
    strict: "required",
    scope: "plugin",
    async run({ subject, config }) {
      // In a process of its own: what goes wrong with a second configuration must not spoil the first of others.
      const session = await subject.startSession();
      try {
        requireService(session, extServiceNames.Configurations, "optional");
        requireService(session, extServiceNames.ProviderIdentity);
        const { open, close } = ext.Configurations.method;
        const first = responseOf("GetIdentity", await identityOf(session, ""));
        const instance = `second-${subject.run}`;
        const request = { instance, configJson: jsonToBytes(config.provider) };
        const opened = responseOf("Open", await call(session.plugin, open, request, { timeoutMs: openMs }));
        expectThat(
          opened.identity === first.identity,
          `Open of an equal configuration says "${opened.identity}", and GetIdentity of the first "${first.identity}"`,
        );
        responseOf("GetIdentity of the second configuration", await identityOf(session, instance));
        refused(await identityOf(session, `nobody-${subject.run}`), "a configuration that was never opened");
        responseOf("Close", await call(session.plugin, close, { instance }));
        refused(await identityOf(session, instance), "a configuration that was closed");
        responseOf("GetIdentity of the first configuration, the second closed,", await identityOf(session, ""));
      } finally {
        await session.plugin.end();
      }
    },
  },
];

function identityOf(session: Session, instance: string): Promise<Ended<ext.GetIdentityResponse>> {
  const context = instance === "" ? {} : { instance };
  return call(session.plugin, ext.ProviderIdentity.method.getIdentity, {}, { context });
}

function refused(ended: Ended<ext.GetIdentityResponse>, what: string): void {
  expectThat(!ended.ok, `GetIdentity of ${what} is answered; it should be refused`);
  const failedPrecondition = 9;
  expectThat(
    ended.code === failedPrecondition,
    `GetIdentity of ${what} is refused with ${describeStatus(ended)}; it should be FAILED_PRECONDITION`,
  );
}
