import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { JournalEvent } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import { emergencyPath, readEmergency, writeEmergency } from "../emergency.ts";
import { thisHolder } from "../lease/holder.ts";
import { generateKey } from "../sealing/key.ts";
import { leakedSecrets, secretEvents, secretRecord } from "../testing/planted-secrets.ts";
import { sampleHeader, sampleIntent, sampleOutcome, sampleRecord, sampleRun } from "../testing/sample.ts";
import { createTemporaryStack, type TemporaryStack } from "../testing/temporary-stack.ts";
import { keyOf, sumOf } from "./checksum.ts";
import { doctor, repair } from "./doctor.ts";
import { runStride } from "./schema.ts";

const config: JournalEvent = { kind: "provider-config", provider: "cloud", name: "fake", config: { region: "x" } };

/** One closed run with records a and b, one open run that has changed a and has an intent in flight for c. */
async function fill(stack: TemporaryStack): Promise<void> {
  const store = await stack.open();
  const lease = await store.acquire(thisHolder("wfctl apply"));
  const commits = [
    ...sampleRun("r1", ["a", "b"]),
    [{ kind: "run-started", run: sampleHeader("r2", ["a", "c"]) } as const, config],
    [
      {
        kind: "outcome",
        run: "r2",
        outcome: sampleOutcome(0),
        record: { put: sampleRecord("a", { providerId: "second" }) },
      } as const,
    ],
    [{ kind: "intent", intent: sampleIntent("r2", 1, "c") } as const],
  ];
  await Promise.all(commits.map((events) => store.commit(lease, events)));
  await store.close();
}

function change(stack: TemporaryStack, sql: string): void {
  const db = new DatabaseSync(stack.path);
  db.function("sum", (key, body) => sumOf(String(key), String(body)));
  db.exec(sql);
  db.close();
}

/** Writes a journal entry as it is, with a checksum that fits. */
function addEntry(stack: TemporaryStack, run: number, entry: number, event: JournalEvent, serial: number): void {
  const db = new DatabaseSync(stack.path);
  const body = JSON.stringify(event);
  db.prepare("INSERT INTO journal (id, kind, slot, serial, sum, body) VALUES (?, ?, NULL, ?, ?, ?)").run(
    run * runStride + entry,
    event.kind,
    serial,
    sumOf(keyOf(event.kind, null, serial), body),
    body,
  );
  db.close();
}

const outcome = (run: string, action: number): JournalEvent => ({
  kind: "outcome",
  run,
  outcome: sampleOutcome(action, { status: "ERROR", code: "TRANSIENT" }),
});

/** Each breaks one thing; `repaired` tells what `repair` leaves. */
const cases: Record<
  string,
  {
    readonly break: (stack: TemporaryStack) => void;
    readonly checks: readonly string[];
    readonly left?: readonly string[];
  }
> = {
  "a record that was changed behind the journal's back": {
    break: (stack) =>
      change(
        stack,
        "UPDATE records SET body = json_set(body, '$.providerId', 'x'), sum = sum(name, json_set(body, '$.providerId', 'x')) WHERE name = 'a'",
      ),
    checks: ["replay"],
  },
  "a record that fell behind": {
    break: (stack) => change(stack, "UPDATE records SET serial = 0 WHERE name = 'a'"),
    checks: ["replay"],
  },
  "a record that vanished": {
    break: (stack) => change(stack, "DELETE FROM records WHERE name = 'b'"),
    checks: ["replay", "record-count"],
  },
  "a record with a damaged body": {
    break: (stack) => change(stack, "UPDATE records SET body = substr(body, 2) WHERE name = 'a'"),
    checks: ["record"],
  },
  "a record without journal that is no JSON": {
    break: (stack) =>
      change(
        stack,
        "INSERT INTO records (name, providers, serial, sum, body) VALUES ('z', '/cloud/', 0, sum('z', '{'), '{'); UPDATE stack SET records = 3, sum = sum(serial || char(10) || runs || char(10) || 3, '')",
      ),
    checks: ["record"],
  },
  "a serial that is behind": {
    break: (stack) =>
      change(stack, "UPDATE stack SET serial = 1, sum = sum('1' || char(10) || runs || char(10) || records, '')"),
    checks: ["serial"],
  },
  "a second outcome of one action": {
    break: (stack) => addEntry(stack, 2, 3, outcome("r2", 0), 3),
    checks: ["outcome-twice"],
  },
  "an outcome out of range": {
    break: (stack) => addEntry(stack, 2, 3, outcome("r2", 2), 3),
    checks: ["outcome-range"],
  },
  "a closed run without an outcome": {
    break: (stack) =>
      change(stack, `DELETE FROM journal WHERE id = ${runStride + 4}; UPDATE records SET serial = 9 WHERE name = 'b'`),
    checks: ["outcome-missing"],
  },
  "a missing entry of a closed run": {
    break: (stack) => change(stack, `DELETE FROM journal WHERE id = ${runStride + 2}`),
    checks: ["journal"],
  },
  "a damaged entry of the open run": {
    break: (stack) => change(stack, `UPDATE journal SET body = '{}' WHERE id = ${2 * runStride + 2}`),
    checks: ["journal"],
    left: ["journal"],
  },
  "entries of no run": {
    break: (stack) => addEntry(stack, 7, 1, outcome("r7", 0), 1),
    checks: ["journal"],
  },
  "a damaged header of a closed run": {
    break: (stack) => change(stack, "UPDATE runs SET actions = '[' WHERE id = 'r1'"),
    checks: ["run", "journal"].slice(0, 1),
  },
  "a damaged provider configuration": {
    break: (stack) => change(stack, "UPDATE provider_configs SET body = 'x'"),
    checks: ["provider-config"],
    left: ["provider-config"],
  },
  "a damaged unknown intent": {
    break: (stack) =>
      change(
        stack,
        "INSERT INTO unknown (key, provider, why, sum, body) VALUES ('r0:0:main:apply', 'cloud', 'x', 1, '{')",
      ),
    checks: ["unknown"],
  },
  "a damaged owed hook": {
    break: (stack) =>
      change(stack, "INSERT INTO hooks_owed (key, run, action, name, sum) VALUES ('r0:0', 'r0', 0, 'a', 1)"),
    checks: ["hook"],
  },
};

describe("doctor and repair", () => {
  test("a sound state has no findings, and repairing it changes nothing", async () => {
    await using stack = createTemporaryStack();
    await fill(stack);
    const before = await (await stack.open()).load();
    expect(doctor(stack.path)).toEqual([]);
    expect(await repair({ path: stack.path, holder: thisHolder("wfctl state"), key: stack.key })).toEqual([]);
    expect(await (await stack.open()).load()).toEqual(before);
  });

  for (const [name, broken] of Object.entries(cases)) {
    test(`finds ${name}`, async () => {
      await using stack = createTemporaryStack();
      await fill(stack);
      broken.break(stack);
      const bytes = readFileSync(stack.path);
      const found = doctor(stack.path);
      expect(found.map(({ check }) => check)).toEqual(broken.checks);
      expect(readFileSync(stack.path).equals(bytes)).toBe(true);

      const done = await repair({ path: stack.path, holder: thisHolder("wfctl state") });
      expect(done).toEqual(found.filter((finding) => finding.repair !== undefined));
      expect(doctor(stack.path).map(({ check }) => check)).toEqual(broken.left ?? []);
      if (broken.left === undefined) expect((await (await stack.open()).load()).openRuns).toHaveLength(1);
    });
  }

  test("a repaired record is what the journal wrote", async () => {
    await using stack = createTemporaryStack();
    await fill(stack);
    const before = await (await stack.open()).load();
    change(stack, "DELETE FROM records WHERE name = 'a'; UPDATE records SET body = 'x' WHERE name = 'b'");
    await repair({ path: stack.path, holder: thisHolder("wfctl state") });
    const after = await (await stack.open()).load();
    expect(Object.fromEntries(after.records)).toEqual(Object.fromEntries(before.records));
  });

  test("a record whose provider has no configuration is a warning", async () => {
    await using stack = createTemporaryStack();
    const store = await stack.open();
    const lease = await store.acquire(thisHolder("wfctl apply"));
    for (const events of sampleRun("r1", ["a"])) await store.commit(lease, events);
    await store.close();
    expect(doctor(stack.path)).toMatchObject([{ check: "provider-config", severity: "warning" }]);
  });

  test("a damaged page is an integrity finding", async () => {
    await using stack = createTemporaryStack();
    await fill(stack);
    const bytes = readFileSync(stack.path);
    bytes.fill(0xff, 4096, bytes.length);
    writeFileSync(stack.path, bytes);
    expect(doctor(stack.path)[0]).toMatchObject({ check: "integrity", severity: "error" });
  });

  test("a repair waits for no lease: it is refused while another holds it", async () => {
    await using stack = createTemporaryStack();
    await fill(stack);
    const store = await stack.open();
    await store.acquire(thisHolder("wfctl apply"));
    const refused = repair({ path: stack.path, holder: thisHolder("wfctl state") });
    await expect(refused).rejects.toMatchObject({ code: "LEASE_HELD" });
  });
});

test("a file of the first wfctl, which had no table for owed hooks, is read as it is and gets it from its first writer", async () => {
  await using stack = createTemporaryStack();
  await fill(stack);
  change(stack, "DROP TABLE hooks_owed");
  const reader = await stack.open({ readOnly: true });
  expect([(await reader.load()).hooksOwed, doctor(stack.path)]).toEqual([[], []]);
  const writer = await stack.open();
  const lease = await writer.acquire(thisHolder("wfctl apply"));
  const events: JournalEvent[] = [
    { kind: "half", run: "r1", action: 0, half: "main", record: { remove: "b" }, hooksOwed: true },
  ];
  await writer.commit(lease, events);
  expect((await reader.load()).hooksOwed).toEqual([{ run: "r1", action: 0, name: "b" }]);
});

describe("the emergency file", () => {
  const events: JournalEvent[] = [
    {
      kind: "outcome",
      run: "r2",
      outcome: sampleOutcome(1),
      record: { put: secretRecord("c", "r2") },
    },
  ];

  test("takes outcomes, sealed, and gives them back to the state", async () => {
    await using stack = createTemporaryStack();
    await fill(stack);
    const store = await stack.open();
    const path = emergencyPath(stack.path, "r2");
    writeEmergency(path, "r2", events, store.sealer!);
    writeEmergency(path, "r2", [outcome("r2", 0)], store.sealer!);
    expect(leakedSecrets([readFileSync(path)])).toEqual([]);
    expect(readEmergency(path, "r2", store.sealer!)).toEqual([events, [outcome("r2", 0)]]);
    expect(doctor(stack.path)).toMatchObject([{ check: "emergency", problem: expect.stringContaining("'r2'") }]);

    const holder = thisHolder("wfctl state");
    expect(await repair({ path: stack.path, holder })).toEqual([]);
    expect(await repair({ path: stack.path, holder, key: stack.key })).toMatchObject([{ check: "emergency" }]);
    expect(existsSync(path)).toBe(false);
    const state = await store.load();
    expect(state.records.get("c")).toEqual(secretRecord("c", "r2"));
    // Action 0 had its outcome in the state: that one stays.
    expect([...state.openRuns[0]!.outcomes.values()].map(({ status }) => status)).toEqual(["SUCCESS", "SUCCESS"]);
    expect(state.openRuns[0]!.openIntents).toEqual([]);
    expect(doctor(stack.path)).toEqual([]);
  });

  test("a line that was cut off is passed over, a damaged one is an error", async () => {
    await using stack = createTemporaryStack();
    const store = await stack.open();
    const path = emergencyPath(stack.path, "r/1");
    writeEmergency(path, "r/1", events, store.sealer!);
    const line = readFileSync(path, "utf8");
    writeFileSync(path, line + line.slice(0, 40));
    expect(readEmergency(path, "r/1", store.sealer!)).toEqual([events]);
    expect(() => readEmergency(path, "r/2", store.sealer!)).toThrow(expect.objectContaining({ code: "STORE_CORRUPT" }));
    writeFileSync(path, `{}\n${line}`);
    expect(() => readEmergency(path, "r/1", store.sealer!)).toThrow("line 1 is damaged");
    expect(readdirSync(stack.directory)).toHaveLength(2);
  });

  test("repair with a wrong key changes nothing", async () => {
    await using stack = createTemporaryStack();
    await fill(stack);
    change(stack, "DELETE FROM records WHERE name = 'b'");
    const wrong = repair({ path: stack.path, holder: thisHolder("wfctl state"), key: generateKey() });
    await expect(wrong).rejects.toMatchObject({ code: "KEY_WRONG" });
    expect(doctor(stack.path).length).toBeGreaterThan(0);
  });
});

test("every secret state passes the doctor", async () => {
  await using stack = createTemporaryStack();
  const store = await stack.open();
  const lease = await store.acquire(thisHolder("wfctl apply"));
  for (const events of secretEvents()) await store.commit(lease, events);
  expect(doctor(stack.path).map(({ check }) => check)).toEqual(["outcome-missing"]);
});
