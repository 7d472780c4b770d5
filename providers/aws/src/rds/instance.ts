import type { CreateDBInstanceCommandInput, DBInstance, ModifyDBInstanceCommandInput } from "@aws-sdk/client-rds";
import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Aws } from "../calls.ts";
import { orAbsent } from "../errors.ts";
import { defined } from "../json.ts";
import { each } from "../paging.ts";
import { awaitThat } from "../waiting.ts";
import type { DatabaseInput } from "./schema.ts";

const brokenStates =
  /^(?:failed|incompatible-|storage-full|inaccessible-encryption|restore-error|insufficient-capacity)/;
/** Storage that grew is rearranged for hours, while the database works. */
const readyStates: ReadonlySet<string> = new Set(["available", "storage-optimization"]);
/** Refused while the instance is at something else. */
export const busy = ["InvalidDBInstanceState"];
const defaultRetentionDays = 7;

export function isReady({ DBInstanceStatus: status = "" }: DBInstance): boolean {
  return readyStates.has(status);
}

export async function findInstance({ rds }: Aws, identifier: string): Promise<DBInstance | undefined> {
  return (await orAbsent(rds.describeDBInstances({ DBInstanceIdentifier: identifier })))?.DBInstances?.[0];
}

export function instances({ rds }: Aws): AsyncGenerator<DBInstance> {
  return each(async (marker) => {
    const page = await rds.describeDBInstances(marker === undefined ? {} : { Marker: marker });
    return [page.DBInstances, page.Marker] as const;
  });
}

function usernameOf(input: DatabaseInput): string {
  return input.master_username ?? (input.engine === "postgres" ? "postgres" : "admin");
}

/** True where a live version is the wanted one, or one of the wanted line: 17 is 17.2. */
export function isVersion(live: string | undefined, wanted: string | undefined): boolean {
  return wanted === undefined || live === wanted || live?.startsWith(`${wanted}.`) === true;
}

export function createRequest(identifier: string, subnetGroup: string | undefined, input: DatabaseInput) {
  return defined({
    DBInstanceIdentifier: identifier,
    Engine: input.engine,
    EngineVersion: input.engine_version,
    DBInstanceClass: input.instance_class,
    AllocatedStorage: input.allocated_storage,
    MaxAllocatedStorage: input.max_allocated_storage,
    StorageType: input.storage_type,
    Iops: input.iops,
    StorageThroughput: input.storage_throughput,
    StorageEncrypted: input.storage_encrypted ?? true,
    KmsKeyId: input.kms_key_id,
    DBName: input.database_name,
    MasterUsername: usernameOf(input),
    MasterUserPassword: input.master_password,
    ManageMasterUserPassword: input.master_password === undefined ? true : undefined,
    Port: input.port,
    MultiAZ: input.multi_az,
    AvailabilityZone: input.availability_zone,
    PubliclyAccessible: input.publicly_accessible,
    DBSubnetGroupName: subnetGroup,
    VpcSecurityGroupIds: input.security_group_ids,
    DBParameterGroupName: input.parameter_group_name,
    BackupRetentionPeriod: input.backup_retention_days ?? defaultRetentionDays,
    PreferredBackupWindow: input.backup_window,
    PreferredMaintenanceWindow: input.maintenance_window,
    AutoMinorVersionUpgrade: input.auto_minor_version_upgrade,
    EnableIAMDatabaseAuthentication: input.iam_authentication,
    EnablePerformanceInsights: input.performance_insights,
    EnableCloudwatchLogsExports: input.log_exports.length === 0 ? undefined : input.log_exports,
    DeletionProtection: input.deletion_protection,
    CopyTagsToSnapshot: true,
  }) satisfies CreateDBInstanceCommandInput;
}

/** The changes that an instance needs; undefined where it is as wanted. A given password is always among them. */
export function modifyRequest(live: DBInstance, input: DatabaseInput): ModifyDBInstanceCommandInput | undefined {
  const groups = (live.VpcSecurityGroups ?? []).map(({ VpcSecurityGroupId }) => VpcSecurityGroupId ?? "").toSorted();
  const exports = (live.EnabledCloudwatchLogsExports ?? []).toSorted();
  const changed = <Value>(current: Value | undefined, wanted: Value | undefined): Value | undefined =>
    wanted === undefined || current === wanted ? undefined : wanted;
  const addLogs = input.log_exports.filter((name) => !exports.includes(name));
  const dropLogs = exports.filter((name) => !input.log_exports.includes(name));
  const isManaged = live.MasterUserSecret?.SecretArn !== undefined;
  const newGroups = input.security_group_ids?.toSorted();
  const changes = defined({
    EngineVersion: isVersion(live.EngineVersion, input.engine_version) ? undefined : input.engine_version,
    DBInstanceClass: changed(live.DBInstanceClass, input.instance_class),
    // Storage that has grown by itself stays.
    AllocatedStorage:
      (live.AllocatedStorage ?? 0) > input.allocated_storage && input.max_allocated_storage !== undefined
        ? undefined
        : changed(live.AllocatedStorage, input.allocated_storage),
    MaxAllocatedStorage: changed(live.MaxAllocatedStorage, input.max_allocated_storage),
    StorageType: changed(live.StorageType, input.storage_type),
    Iops: changed(live.Iops, input.iops),
    StorageThroughput: changed(live.StorageThroughput, input.storage_throughput),
    MasterUserPassword: input.master_password,
    ManageMasterUserPassword:
      isManaged && input.master_password !== undefined
        ? false
        : !isManaged && input.master_password === undefined
          ? true
          : undefined,
    DBPortNumber: changed(live.Endpoint?.Port ?? live.DbInstancePort, input.port),
    MultiAZ: changed(live.MultiAZ ?? false, input.multi_az),
    PubliclyAccessible: changed(live.PubliclyAccessible ?? false, input.publicly_accessible),
    VpcSecurityGroupIds:
      newGroups === undefined || newGroups.join(" ") === groups.join(" ") ? undefined : input.security_group_ids,
    DBParameterGroupName: changed(live.DBParameterGroups?.[0]?.DBParameterGroupName, input.parameter_group_name),
    BackupRetentionPeriod: changed(live.BackupRetentionPeriod, input.backup_retention_days),
    PreferredBackupWindow: changed(live.PreferredBackupWindow, input.backup_window),
    PreferredMaintenanceWindow: changed(live.PreferredMaintenanceWindow, input.maintenance_window),
    AutoMinorVersionUpgrade: changed(live.AutoMinorVersionUpgrade, input.auto_minor_version_upgrade),
    EnableIAMDatabaseAuthentication: changed(live.IAMDatabaseAuthenticationEnabled ?? false, input.iam_authentication),
    EnablePerformanceInsights: changed(live.PerformanceInsightsEnabled ?? false, input.performance_insights),
    CloudwatchLogsExportConfiguration:
      addLogs.length + dropLogs.length === 0 ? undefined : { EnableLogTypes: addLogs, DisableLogTypes: dropLogs },
    DeletionProtection: changed(live.DeletionProtection ?? false, input.deletion_protection),
  });
  if (Object.keys(changes).length === 0) return undefined;
  return {
    DBInstanceIdentifier: live.DBInstanceIdentifier,
    ...changes,
    ...(input.allow_major_version_upgrade ? { AllowMajorVersionUpgrade: true } : {}),
    ApplyImmediately: input.apply_immediately,
  };
}

/** Waits until the instance is available. `settled`: until nothing is left to be changed as well. */
export async function awaitAvailable(cloud: Aws, identifier: string, settled: boolean): Promise<DBInstance> {
  let seen = "";
  return awaitThat(
    cloud.context,
    () => `database ${identifier} to be available${seen}`,
    async () => {
      const live = await findInstance(cloud, identifier);
      const { DBInstanceStatus: status = "" } = live ?? {};
      if (brokenStates.test(status)) {
        throw new ProviderFailure(
          "unknown",
          `Database "${identifier}" is ${status}: see its events in the RDS console`,
        );
      }
      if (status === "stopped") {
        throw new ProviderFailure("validation", `Database "${identifier}" is stopped: start it first`);
      }
      seen = status === "" ? "" : `, now ${status}`;
      const pending = Object.keys(defined(live?.PendingModifiedValues ?? {})).length;
      return readyStates.has(status) && (!settled || pending === 0) ? live : undefined;
    },
  );
}

export async function awaitGone(cloud: Aws, identifier: string): Promise<void> {
  let seen = "";
  await awaitThat(
    cloud.context,
    () => `database ${identifier} to be deleted${seen}`,
    async () => {
      const live = await findInstance(cloud, identifier);
      seen = `, now ${live?.DBInstanceStatus ?? "gone"}`;
      return live === undefined ? true : undefined;
    },
  );
}
