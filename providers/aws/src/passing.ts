import type { AwsFailure } from "./errors.ts";

/**
 * Refusals that pass by themselves and that have changed nothing: another change of the same object has not ended. The
 * ends "Fault" and "Exception" are left out.
 */
const conflicts: ReadonlySet<string> = new Set([
  "acm.RequestInProgress",
  "autoscaling.ConcurrentUpdate",
  "ecs.UpdateInProgress",
  "iam.ConcurrentModification",
  "iam.EntityTemporarilyUnmodifiable",
  "logs.OperationAborted",
  "route53.ConcurrentModification",
  "s3.ConditionalRequestConflict",
  "s3.OperationAborted",
]);

/** Absences whose message does not say what is absent. */
const nameless: ReadonlySet<string> = new Set([
  "ecs.ClusterNotFound",
  "elbv2.ListenerNotFound",
  "elbv2.LoadBalancerNotFound",
  "elbv2.TargetGroupNotFound",
  "logs.ResourceNotFound",
  "s3.NoSuchBucket",
]);

const removes = /^(?:Delete|Deregister|Detach|Disassociate|Release|Remove|Revoke|Untag)/;

/** True where the same call may work soon, as another change is just under way. */
export function isConflict(failure: AwsFailure): boolean {
  const { service } = failure.call;
  if (service === "apigatewayv2" && failure.awsName === "ConflictException") {
    return /concurrent modification/i.test(failure.message);
  }
  return conflicts.has(nameOf(failure));
}

/** What one call of the host has made so far, by the names and ids that AWS tells of it. */
export interface Made {
  /** To be told of every call that succeeded. */
  note(operation: string, input: object, answer: unknown): void;
  /**
   * True where a call fails because something that was made just now is not known everywhere yet: AWS's services learn of
   * new objects within seconds.
   */
  isUnknownYet(failure: AwsFailure): boolean;
}

export function createMade(): Made {
  const made = new Set<string>();
  return {
    note(operation, input, answer) {
      if (removes.test(operation)) for (const name of namesIn(input)) made.delete(name);
      if (!/^(?:Allocate|Create|Import|Register|Request)/.test(operation)) return;
      const given = new Set(idsIn(input));
      for (const id of idsIn(answer)) if (!given.has(id)) made.add(id);
      for (const name of namesIn(input)) made.add(name);
    },
    isUnknownYet(failure) {
      const { operation, input } = failure.call;
      if (made.size === 0 || failure.class !== "not_found" || removes.test(operation)) return false;
      const asked = JSON.stringify(input);
      // AWS's own words: ours say the subject of the call.
      const said = failure.cause instanceof Error ? failure.cause.message : "";
      const isSaid = (id: string): boolean => said.includes(id) || nameless.has(nameOf(failure));
      const reads = /^(?:Describe|Get|List|Head)/.test(operation) && failure.awsName !== "NoSuchBucket";
      return !reads && [...made].some((id) => asked.includes(id) && isSaid(id));
    },
  };
}

function nameOf({ awsName, call }: AwsFailure): string {
  return `${call.service}.${awsName.replace(/(?:Fault|Exception)$/, "")}`;
}

/** Texts that stand for an object, at the top of an answer or one step below. */
function idsIn(value: unknown, depth = 2): string[] {
  if (typeof value !== "object" || value === null || depth === 0) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    if (typeof member === "string") return /(?:Id|Arn|Name)$/i.test(key) && member.length > 2 ? [member] : [];
    return idsIn(member, depth - 1);
  });
}

function namesIn(input: object): string[] {
  return Object.entries(input).flatMap(([key, value]) =>
    typeof value === "string" && /(?:^bucket|name|Id)$/i.test(key) && value.length > 2 ? [value] : [],
  );
}
