import { z } from "@wfctl/plugin-sdk";
import { endpointInput, nativeId, regionInput } from "../ids.ts";
import { tagMap } from "../tags.ts";

const engines = [
  "postgres",
  "mysql",
  "mariadb",
  "oracle-ee",
  "oracle-ee-cdb",
  "oracle-se2",
  "oracle-se2-cdb",
  "sqlserver-ee",
  "sqlserver-se",
  "sqlserver-ex",
  "sqlserver-web",
] as const;

export const identifierPattern = /^[a-z](?:-?[a-z0-9]){0,62}$/;
const text = z.string().min(1);

/** Family of an engine's parameters, such as postgres17 and mysql8.0; undefined where the version does not say it. */
export function familyOf({
  engine,
  engine_version: version = "",
}: {
  readonly engine: string;
  readonly engine_version?: string | undefined;
}): string | undefined {
  const [major, minor] = version.split(".");
  if (major === undefined || major === "") return undefined;
  if (engine === "postgres") return `postgres${major}`;
  if (engine.startsWith("oracle-")) return `${engine}-${major}`;
  if (engine.startsWith("sqlserver-")) return `${engine}-${major}.0`;
  return minor === undefined ? undefined : `${engine}${major}.${minor}`;
}

export const databaseInput = z
  .strictObject({
    identifier: z
      .string()
      .regex(identifierPattern, { error: "expected at most 63 lower-case letters, digits and single hyphens" })
      .optional()
      .describe("Default: the resource's name"),
    region: regionInput,
    endpoint: endpointInput,
    engine: z.enum(engines).default("postgres"),
    engine_version: text.optional().describe("Whole, or its beginning such as 17. Default: AWS's"),
    allow_major_version_upgrade: z.boolean().default(false),
    instance_class: z
      .string()
      .regex(/^db\.[a-z0-9-]+\.[a-z0-9-]+$/, { error: 'expected a class such as "db.t3.micro"' })
      .default("db.t3.micro"),
    allocated_storage: z.number().int().min(20).max(65_536).default(20).describe("GiB"),
    max_allocated_storage: z
      .number()
      .int()
      .min(20)
      .max(65_536)
      .optional()
      .describe("GiB up to which storage grows by itself"),
    storage_type: z.enum(["gp2", "gp3", "io1", "io2", "standard"]).optional().describe("Default: AWS's"),
    iops: z.number().int().min(1000).optional(),
    storage_throughput: z.number().int().min(125).optional().describe("MiB per second, of gp3"),
    storage_encrypted: z.boolean().optional().describe("Default: true at first, then left alone"),
    kms_key_id: text.optional(),
    database_name: z
      .string()
      .regex(/^[A-Za-z][\w]{0,62}$/)
      .optional()
      .describe("Database that is made with the instance"),
    master_username: text.optional().describe("Default: postgres, or admin with other engines"),
    master_password: z
      .string()
      .min(8)
      .regex(/^[^/@"\s]+$/, { error: 'must not hold /, @, " or white space' })
      .optional()
      .describe("Default: RDS makes one and keeps it in Secrets Manager"),
    port: z.number().int().min(1150).max(65_535).optional(),
    multi_az: z.boolean().default(false),
    availability_zone: text.optional(),
    publicly_accessible: z.boolean().default(false),
    subnet_ids: z
      .array(nativeId("subnet-0123"))
      .min(2)
      .optional()
      .describe("In two zones at least. Default: the default VPC's"),
    subnet_group_name: text.optional().describe("A subnet group that is there already, instead of subnet_ids"),
    security_group_ids: z.array(nativeId("sg-0123")).min(1).optional(),
    parameter_group_name: text.optional().describe("A group that is there already, instead of parameters"),
    parameters: z
      .record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()]).transform(String))
      .optional()
      .describe("Engine parameters, in a group of the instance's own; those that need a reboot wait for the next one"),
    parameter_group_family: text.optional().describe("Of parameters. Default: as engine and engine_version say"),
    backup_retention_days: z.number().int().min(0).max(35).optional().describe("Default: 7 at first, then left alone"),
    backup_window: z
      .string()
      .regex(/^\d\d:\d\d-\d\d:\d\d$/)
      .optional(),
    maintenance_window: z
      .string()
      .regex(/^[a-z]{3}:\d\d:\d\d-[a-z]{3}:\d\d:\d\d$/, { error: 'expected a window such as "sun:03:00-sun:04:00"' })
      .optional(),
    auto_minor_version_upgrade: z.boolean().default(true),
    iam_authentication: z.boolean().default(false),
    performance_insights: z.boolean().default(false),
    log_exports: z.array(z.string()).default([]).describe("Logs that go to CloudWatch, such as postgresql"),
    apply_immediately: z.boolean().default(true).describe("Otherwise changes wait for the maintenance window"),
    deletion_protection: z.boolean().default(false),
    final_snapshot: z.boolean().default(false).describe("Take a snapshot before it is deleted"),
    tags: tagMap.default({}),
  })
  .superRefine((input, context) => {
    const report = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (input.master_username === "admin" && input.engine === "postgres") {
      report("master_username", '"admin" is reserved by PostgreSQL: use another name');
    }
    if (input.max_allocated_storage !== undefined && input.max_allocated_storage <= input.allocated_storage) {
      report("max_allocated_storage", "must be more than allocated_storage");
    }
    if (input.subnet_ids !== undefined && input.subnet_group_name !== undefined) {
      report("subnet_group_name", "subnet_ids and subnet_group_name exclude each other");
    }
    if (input.parameters !== undefined) {
      if (input.parameter_group_name !== undefined) {
        report("parameters", "parameters and parameter_group_name exclude each other");
      }
      if (input.parameter_group_family === undefined && familyOf(input) === undefined) {
        report("engine_version", "parameters belong to a version: set engine_version or parameter_group_family");
      }
    }
    if (input.multi_az && input.availability_zone !== undefined) {
      report("availability_zone", "an instance in several zones has none of its own");
    }
    if (input.storage_throughput !== undefined && input.storage_type !== "gp3") {
      report("storage_throughput", "needs storage_type gp3");
    }
    if (input.kms_key_id !== undefined && input.storage_encrypted === false) report("kms_key_id", "needs encryption");
  });
export type DatabaseInput = z.output<typeof databaseInput>;

export const databaseOutputs = z.object({
  arn: z.string(),
  identifier: z.string(),
  db_status: z.string(),
  engine: z.string(),
  engine_version: z.string(),
  instance_class: z.string(),
  allocated_storage: z.number(),
  multi_az: z.boolean(),
  endpoint: z.string().optional().describe("host:port"),
  host: z.string().optional(),
  port: z.number().optional(),
  database_name: z.string().optional(),
  master_username: z.string(),
  master_secret_arn: z.string().optional().describe("Secret that holds the password that RDS made"),
  subnet_group_name: z.string().optional(),
  parameter_group_name: z.string().optional(),
  parameter_status: z.string().optional().describe("in-sync, applying or pending-reboot"),
  subnet_ids: z.array(z.string()),
  security_group_ids: z.array(z.string()),
  availability_zone: z.string().optional(),
  storage_encrypted: z.boolean(),
  region: z.string(),
  tags_all: z.record(z.string(), z.string()),
});
export type DatabaseOutputs = z.output<typeof databaseOutputs>;
