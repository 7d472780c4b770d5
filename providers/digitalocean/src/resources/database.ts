import { defineCluster } from "../database/define.ts";
import { databaseInput } from "../database/schema.ts";

/** A managed database cluster. */
export const database = defineCluster({
  type: "infra.database",
  description: "Managed database cluster",
  title: "database cluster",
  input: databaseInput,
  fits: () => true,
  lists: ({ engine }) => engine !== "valkey",
});
