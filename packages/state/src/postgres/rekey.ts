import { randomUUID } from "node:crypto";
import type { Intent, JournalEvent, JsonObject, ResourceRecord } from "@wfctl/model";
import type { Client } from "pg";
import { lostError } from "../lease/lease-view.ts";
import { createResealing, dropping, rewriteEvent, type RekeyRequest, type Rewriting } from "../rekey/rewriting.ts";
import { createKeyMeta, createSealer, type KeyMeta } from "../sealing/sealer.ts";
import { inTransaction } from "./schema.ts";

/**
 * Changes the key of a stack in one transaction, which holds the row of the lease: nobody takes it over before the end.
 * Old ciphertext leaves the tables with the next vacuum. Throws `KEY_WRONG`, `LEASE_LOST`.
 */
export async function rekeyStack(
  client: Client,
  stack: { readonly id: number; readonly lineage: string },
  fence: number,
  { oldKey, newKey }: RekeyRequest,
): Promise<void> {
  const { id, lineage } = stack;
  await inTransaction(client, "BEGIN", async () => {
    const lease = await client.query(
      "SELECT 1 FROM wfctl_leases WHERE stack = $1 AND fence = $2 AND holder IS NOT NULL FOR UPDATE",
      [id, fence],
    );
    if (lease.rowCount === 0) throw lostError();
    const { rows } = await client.query<{ keys: string }>("SELECT keys FROM wfctl_stacks WHERE id = $1", [id]);
    const newKeys = createKeyMeta(newKey, lineage);
    const rewriting =
      oldKey === undefined
        ? dropping
        : createResealing(
            createSealer(oldKey, lineage, JSON.parse(rows[0]!.keys) as KeyMeta),
            createSealer(newKey, lineage, newKeys),
          );
    for (const table of tablesOf(rewriting)) await rewriteTable(client, id, table);
    await client.query(
      `UPDATE wfctl_stacks SET keys = $2, serial = serial + 1, commits = commits + 1, last_commit = $3 WHERE id = $1`,
      [id, JSON.stringify(newKeys), randomUUID()],
    );
  });
}

interface Table {
  readonly name: string;
  /** Tells the row from the others of its stack, as text. */
  readonly key: string;
  /** Undefined removes the row. */
  rewrite(body: unknown, key: string): unknown;
}

function tablesOf(rewriting: Rewriting): readonly Table[] {
  return [
    { name: "records", key: "name", rewrite: (body) => rewriting.record(body as ResourceRecord) },
    {
      name: "unknown",
      key: "key",
      rewrite(body) {
        const { intent, ...rest } = body as { intent: Intent };
        return { intent: rewriting.intent(intent), ...rest };
      },
    },
    {
      name: "provider_configs",
      key: "provider",
      rewrite(body, provider) {
        const { name, config } = body as { name: string; config: JsonObject };
        const rewritten = rewriting.config(provider, config);
        return rewritten === undefined ? undefined : { name, config: rewritten };
      },
    },
    {
      name: "journal",
      key: "concat(t.run, '/', t.entry)",
      rewrite: (body) => rewriteEvent(body as JournalEvent, rewriting),
    },
  ];
}

async function rewriteTable(client: Client, stack: number, { name, key, rewrite }: Table): Promise<void> {
  const keyOfRow = key.includes("(") ? key : `t.${key}`;
  const { rows } = await client.query<{ row_key: string; body: string }>(
    `SELECT ${keyOfRow} AS row_key, t.body FROM wfctl_${name} AS t WHERE t.stack = $1`,
    [stack],
  );
  const changed: [string, string][] = [];
  const removed: string[] = [];
  for (const row of rows) {
    const body = rewrite(JSON.parse(row.body), row.row_key);
    if (body === undefined) removed.push(row.row_key);
    else changed.push([row.row_key, JSON.stringify(body)]);
  }
  await client.query(
    `UPDATE wfctl_${name} AS t SET body = put.body FROM unnest($2::text[], $3::text[]) AS put (row_key, body)
      WHERE t.stack = $1 AND ${keyOfRow} = put.row_key`,
    [stack, changed.map(([row]) => row), changed.map(([, body]) => body)],
  );
  await client.query(`DELETE FROM wfctl_${name} AS t WHERE t.stack = $1 AND ${keyOfRow} = ANY ($2::text[])`, [
    stack,
    removed,
  ]);
}
