import { expectThat, type PluginScenario } from "../scenario.ts";

/** After all that makes something. */
export const cleanUpScenario: PluginScenario = {
  id: "clean-up",
  title: "everything that the suite made can be deleted, and is gone",
  contract: "required",
  strict: "required",
  scope: "plugin",
  async run({ objects }) {
    const left = await objects.cleanUp();
    expectThat(left.length === 0, `${left.length} objects are left: ${left.join("; ")}`);
  },
};
