import { create, fromBinary, fromJson, toBinary } from "@bufbuild/protobuf";
import { actionStatus, WfctlError, type ApplyResult } from "@wfctl/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyResultToJson, decodeApplyResult, encodeApplyResult } from "./apply-result.ts";
import { jsonObject, text } from "./testing/arbitraries.ts";
import * as lifecycle from "./gen/workflow/plugin/external/iac/iac_lifecycle_pb.ts";

const noNullPrototype = { noNullPrototype: true };
const texts = fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true });
const statuses = fc.constantFrom(...Object.values(actionStatus));
const result: fc.Arbitrary<ApplyResult> = fc.record(
  {
    planId: text,
    resources: fc.array(
      fc
        .record({ name: text, type: text, providerId: text, outputs: jsonObject, status: text }, noNullPrototype)
        .chain((base) =>
          fc.subarray(Object.keys(base.outputs)).map((keys) => ({ ...base, sensitive: keys.toSorted() })),
        ),
      { maxLength: 3 },
    ),
    errors: fc.array(fc.record({ resource: text, action: text, error: text }, noNullPrototype), { maxLength: 3 }),
    initialInputSnapshot: texts,
    inputDriftReport: fc.array(
      fc.record({ name: text, planFingerprint: text, applyFingerprint: text }, noNullPrototype),
      {
        maxLength: 2,
      },
    ),
    replaceIdMap: texts,
    actions: fc
      .array(fc.record({ status: statuses, error: text }, noNullPrototype), { maxLength: 8 })
      .map((ends) => ends.map((end, actionIndex) => ({ ...end, actionIndex }))),
  },
  noNullPrototype,
);

const source = 'plugin "aws"';

/** The refusal of a message whose actions are these. */
function refusalOf(
  actions: { actionIndex: number; status: number; error?: string }[],
  plannedActions: number,
): WfctlError {
  const message = create(lifecycle.ApplyResultSchema, {
    actions: actions.map(({ actionIndex, status, error }) => ({
      actionIndex,
      status: status as lifecycle.ActionResult["status"],
      error: error ?? "",
    })),
  });
  // By way of the wire, so that the decoder sees what a peer would send.
  try {
    decodeApplyResult(toBinary(lifecycle.ApplyResultSchema, message), { plannedActions, source });
  } catch (error) {
    if (error instanceof WfctlError) return error;
    throw error;
  }
  return expect.unreachable("the result should have been refused");
}

const summaries = (error: WfctlError): string[] => error.diagnostics.map(({ summary }) => summary);

describe("apply results", () => {
  test("survive the wire", () => {
    fc.assert(
      fc.property(result, (value) => {
        expect(
          decodeApplyResult(encodeApplyResult(value), { plannedActions: value.actions.length, source }),
        ).toStrictEqual(value);
      }),
    );
  });

  test("come back in plan order, from bytes and from a decoded message", () => {
    fc.assert(
      fc.property(
        result.chain((value) =>
          fc.tuple(fc.constant(value), fc.shuffledSubarray([...value.actions], { minLength: value.actions.length })),
        ),
        ([value, shuffled]) => {
          const message = fromBinary(lifecycle.ApplyResultSchema, encodeApplyResult({ ...value, actions: shuffled }));
          const options = { plannedActions: value.actions.length, source };
          expect(decodeApplyResult(message, options).actions).toStrictEqual(value.actions);
        },
      ),
    );
  });

  test("with a status that is UNSPECIFIED or unknown are refused, naming the action and the sender", () => {
    const bad = fc.oneof(
      fc.constant(0),
      fc.integer({ min: 7, max: 2_147_483_647 }),
      fc.integer({ min: -2_147_483_648, max: -1 }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(), bad, (planned, seed, status) => {
        const at = seed % planned;
        const actions = Array.from({ length: planned }, (_, actionIndex) => ({
          actionIndex,
          status: actionIndex === at ? status : 1,
        }));
        const error = refusalOf(actions, planned);
        expect(error.code).toBe("BAD_RESULT");
        expect(error.message).toContain(
          `${source} is refused: action ${at}: Field ActionResult.status holds ${status}`,
        );
        expect(error.diagnostics).toHaveLength(1);
      }),
    );
  });

  test("of the wrong length are refused, naming what is missing", () => {
    fc.assert(
      fc.property(fc.nat({ max: 6 }), fc.nat({ max: 6 }), (sent, planned) => {
        fc.pre(sent !== planned);
        const error = refusalOf(
          Array.from({ length: sent }, (_, actionIndex) => ({ actionIndex, status: 1 })),
          planned,
        );
        expect(error.message).toContain(`${sent} action results for ${planned} planned actions`);
        const missing = summaries(error).filter((summary) => summary.endsWith("has no result"));
        expect(missing).toHaveLength(Math.max(0, planned - sent));
        for (const summary of summaries(error)) expect(summary).toContain(source);
      }),
    );
  });

  test("with an index out of range are refused, naming the index", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4_294_967_290 })),
        (planned, beyond) => {
          const index = planned + beyond;
          const actions = Array.from({ length: planned }, (_, actionIndex) => ({ actionIndex, status: 1 }));
          actions[0] = { actionIndex: index, status: 1 };
          expect(summaries(refusalOf(actions, planned))).toEqual([
            `Apply result of ${source}: action ${index}: the plan has ${planned} actions, counted from 0`,
            `Apply result of ${source}: action 0: has no result`,
          ]);
        },
      ),
    );
  });

  test("with an index twice are refused, naming it and the one left out", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 6 }), fc.nat(), fc.nat(), (planned, first, second) => {
        const [from, to] = [first % planned, second % planned];
        fc.pre(from !== to);
        const actions = Array.from({ length: planned }, (_, actionIndex) => ({
          actionIndex: actionIndex === from ? to : actionIndex,
          status: 1,
        }));
        expect(summaries(refusalOf(actions, planned))).toEqual([
          `Apply result of ${source}: action ${to}: has more than one result`,
          `Apply result of ${source}: action ${from}: has no result`,
        ]);
      }),
    );
  });

  test("with several faults name them all", () => {
    const error = refusalOf([{ actionIndex: 9, status: 0 }], 2);
    expect(error.message).toMatch(/^Apply result of plugin "aws" is refused: .* \(and 4 more\)$/);
    expect(error.diagnostics).toHaveLength(5);
  });

  test("with outputs that are no object are refused, naming the resource", () => {
    const message = create(lifecycle.ApplyResultSchema, { resources: [{ name: "db", outputsJson: Buffer.from("[") }] });
    expect(() => decodeApplyResult(message, { plannedActions: 0, source })).toThrow(
      /plugin "aws" is refused: resource 0: Field ResourceOutput\.outputs_json is not valid JSON/,
    );
  });

  test("that are no message at all are refused as an unreadable reply", () => {
    const decode = (): unknown => decodeApplyResult(Uint8Array.of(0x0a, 0x05, 0x01), { plannedActions: 0, source });
    expect(decode).toThrow(expect.objectContaining({ code: "PLUGIN_REPLY" }));
  });

  test("of a plan without actions are empty", () => {
    expect(decodeApplyResult(new Uint8Array(0), { plannedActions: 0, source }).actions).toEqual([]);
  });

  test("with a hole or a slot filled twice are not even written", () => {
    const base = decodeApplyResult(new Uint8Array(0), { plannedActions: 0, source });
    const end = { status: "SUCCESS", error: "" } as const;
    for (const indexes of [[1], [0, 0], [0, 2]]) {
      const actions = indexes.map((actionIndex) => ({ ...end, actionIndex }));
      expect(() => encodeApplyResult({ ...base, actions })).toThrow(expect.objectContaining({ code: "INTERNAL" }));
    }
  });
});

test("the JSON of a result names the same message as its bytes", () => {
  fc.assert(
    fc.property(result, (value) => {
      const message = fromJson(lifecycle.ApplyResultSchema, applyResultToJson(value) as never);
      const decoded = decodeApplyResult(message, { plannedActions: value.actions.length, source });
      expect(decoded).toEqual(
        decodeApplyResult(encodeApplyResult(value), { plannedActions: value.actions.length, source }),
      );
    }),
    { numRuns: 50 },
  );
  expect(
    applyResultToJson({ ...emptyResult, actions: [{ actionIndex: 0, status: "SKIPPED", error: "x" }] }),
  ).toMatchObject({
    planId: "",
    actions: [{ actionIndex: 0, status: "ACTION_STATUS_SKIPPED", error: "x" }],
  });
});

const emptyResult: ApplyResult = {
  planId: "",
  resources: [],
  errors: [],
  initialInputSnapshot: {},
  inputDriftReport: [],
  replaceIdMap: {},
  actions: [],
};
