import type { Scenario } from "../scenario.ts";
import { answerScenarios } from "./answers.ts";
import { changeScenarios } from "./changes.ts";
import { configurationScenarios } from "./configurations.ts";
import { cleanUpScenario } from "./clean-up.ts";
import { detectionScenarios } from "./detection.ts";
import { diffScenarios } from "./diff.ts";
import { interruptionScenarios } from "./interruption.ts";
import { manifestScenarios } from "./manifest.ts";
import { objectScenarios } from "./objects.ts";
import { payloadScenarios } from "./payloads.ts";
import { processScenarios } from "./process.ts";
import { registryScenarios } from "./registry.ts";
import { sessionScenarios } from "./session.ts";
import { tokenScenarios } from "./tokens.ts";
import { transcriptScenarios } from "./transcript.ts";

/** All scenarios in the order in which they run: what is cheap first, what looks back over the run last. */
export const scenarios: readonly Scenario[] = [
  ...manifestScenarios,
  ...processScenarios,
  ...registryScenarios,
  ...configurationScenarios,
  ...objectScenarios,
  ...changeScenarios,
  ...answerScenarios,
  ...diffScenarios,
  ...detectionScenarios,
  ...sessionScenarios,
  ...tokenScenarios,
  ...interruptionScenarios,
  ...payloadScenarios,
  cleanUpScenario,
  ...transcriptScenarios,
];
