import type { JournalEvent, ResourceRecord } from "@wfctl/model";
import { sampleHeader, sampleIntent, sampleOutcome, sampleRecord } from "./sample.ts";

/** Texts that must stand in clear nowhere: one for each place that holds secrets. */
export const secretPlaces = [
  "record-input",
  "record-input-nested",
  "record-output",
  "deposed-output",
  "intent-input",
  "intent-live",
  "before-input",
  "before-output",
  "after-input",
  "half-output",
  "closed-output",
  "provider-password",
  "provider-nested",
] as const;
export type SecretPlace = (typeof secretPlaces)[number];

function secretOf(place: SecretPlace): string {
  return `s3cr3t/${place}/Ünïcode"quoted`;
}

/** A record with secrets at all its places. */
export function secretRecord(name: string, run: string, output: SecretPlace = "record-output"): ResourceRecord {
  return sampleRecord(name, {
    run,
    inputs: {
      password: secretOf("record-input"),
      env: [{ name: "TOKEN", value: { inner: secretOf("record-input-nested") } }],
      plain: 1,
    },
    sensitiveInputs: ["/password", "/env/0/value", "/env/0/value/inner", "/missing/one"],
    outputs: { secret: secretOf(output), url: "https://plain.example" },
    sensitiveOutputs: ["secret", "absent"],
    deposed: [
      {
        providerId: "old",
        type: "infra.queue",
        provider: "cloud",
        outputs: { old: { deep: secretOf("deposed-output") } },
        sensitiveOutputs: ["old"],
        dependencies: [],
        sinceRun: run,
      },
    ],
  });
}

/** A run that leaves secrets in every table and object a store has, with one intent unknown and one run open. */
export function secretEvents(): JournalEvent[][] {
  const before = {
    ...secretRecord("b", "r0"),
    inputs: { password: secretOf("before-input") },
    outputs: { secret: secretOf("before-output") },
  };
  const { providerId: _id, outputs: _outputs, sensitiveOutputs: _sensitive, ...after } = secretRecord("b", "r1");
  const intent = (run: string, action: number, name: string) =>
    sampleIntent(run, action, name, {
      inputs: { password: secretOf("intent-input") },
      sensitiveInputs: ["/password"],
      liveInputs: { password: secretOf("intent-live"), env: [{ value: secretOf("intent-live") }] },
      before,
      after: { ...after, inputs: { password: secretOf("after-input") } },
    });
  const config = { token: secretOf("provider-password"), nested: [{ key: secretOf("provider-nested") }] };
  return [
    [
      { kind: "run-started", run: sampleHeader("r1", ["a", "b", "c"]) },
      { kind: "provider-config", provider: "cloud", name: "fake", config },
    ],
    [{ kind: "intent", intent: intent("r1", 0, "a"), record: secretRecord("a", "r1") }],
    [{ kind: "outcome", run: "r1", outcome: sampleOutcome(0), record: { put: secretRecord("a", "r1") } }],
    [{ kind: "intent", intent: intent("r1", 1, "b") }],
    [{ kind: "half", run: "r1", action: 1, half: "create", record: { put: secretRecord("b", "r1", "half-output") } }],
    [{ kind: "intent-unknown", run: "r1", action: 1, half: "main", phase: "apply", why: "no answer" }],
    [{ kind: "run-closed", run: "r1", end: "failed", at: "2026-01-01T00:00:00.000Z" }],
    [{ kind: "run-started", run: sampleHeader("r2", ["c"]) }],
    [{ kind: "record", run: "r2", record: { put: secretRecord("c", "r2") } }],
    [{ kind: "intent", intent: intent("r2", 0, "c") }],
    [
      {
        kind: "intent-closed",
        run: "r2",
        action: 0,
        half: "main",
        phase: "apply",
        record: { put: secretRecord("c", "r2", "closed-output") },
      },
    ],
    [{ kind: "intent", intent: intent("r2", 0, "c") }],
  ];
}

/** The planted secrets that stand in the bytes in clear, also JSON-, URL- or base64-escaped. */
export function leakedSecrets(bytes: readonly Uint8Array[]): SecretPlace[] {
  return secretPlaces.filter((place) => {
    const secret = secretOf(place);
    const forms = [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      Buffer.from(secret).toString("base64").slice(0, -4),
      `s3cr3t/${place}/`,
    ];
    return bytes.some((part) => forms.some((form) => Buffer.from(part).includes(form)));
  });
}
