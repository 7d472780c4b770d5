import { describe, expect, test } from "vitest";
import { failureOf, isAwsError, orAbsent, orNone, unexpectedMark } from "./errors.ts";
import type { FailedCall } from "./errors.ts";

const call: FailedCall = {
  service: "ec2",
  operation: "CreateSubnet",
  input: { VpcId: "vpc-1", CidrBlock: "10.0.0.0/24" },
};
const error = (name: string, message = "", other: object = {}): Error =>
  Object.assign(new Error(message), { name }, other);
const classOf = (name: string, of: Partial<FailedCall> = {}): string =>
  failureOf(error(name), { ...call, ...of }).class;

describe("failureOf", () => {
  test.each([
    ["UnauthorizedOperation", "forbidden"],
    ["AccessDeniedException", "forbidden"],
    ["ExpiredTokenException", "unauthorized"],
    ["RequestLimitExceeded", "rate_limited"],
    ["ThrottlingException", "rate_limited"],
    ["InvalidVpcID.NotFound", "not_found"],
    ["NatGatewayNotFound", "not_found"],
    ["InvalidParameterValue", "validation"],
    ["SubnetLimitExceeded", "validation"],
    ["InvalidSubnet.Conflict", "already_exists"],
    ["DependencyViolation", "validation"],
    ["InternalError", "transient"],
    ["TimeoutError", "transient"],
  ])("takes %s for %s", (name, failureClass) => {
    expect(classOf(name)).toBe(failureClass);
  });

  test("knows names with and without the ending, and what they mean to one service", () => {
    expect(classOf("DBInstanceNotFoundFault", { service: "rds" })).toBe("not_found");
    expect(classOf("DBInstanceNotFound", { service: "rds" })).toBe("not_found");
    expect(classOf("ResourceInUseException", { service: "eks" })).toBe("already_exists");
    expect(classOf("ResourceInUseException", { service: "acm" })).toBe("validation");
    expect(classOf("Whatever.NotFound", { service: "ec2" })).toBe("not_found");
    expect(classOf("Whatever.NotFound", { service: "s3" })).toBe("unknown");
  });

  test("says what failed, on what, and what to do", () => {
    const denied = failureOf(
      error("UnauthorizedOperation", "You are not authorized. Encoded authorization failure message: abcdef"),
      call,
    );
    expect(denied.message).toBe(
      'Cannot create subnet "vpc-1": You are not authorized (UnauthorizedOperation); allow ec2:CreateSubnet to these credentials',
    );
    expect(failureOf(error("VpcLimitExceeded", "Too many."), call).message).toContain("higher quota");
  });

  test("marks what is in no table", () => {
    const odd = failureOf(error("NeverHeardOf", "?"), call);
    expect([odd.class, odd.message.startsWith(unexpectedMark)]).toEqual(["unknown", true]);
    const failing = failureOf(error("NeverHeardOf", "?", { $response: { statusCode: 503 } }), call);
    expect(failing.class).toBe("transient");
  });

  test("reads an answer without a body by its status, and a broken connection by its code", () => {
    const head = { service: "s3", operation: "HeadBucket", input: { Bucket: "b" } } as const;
    const forbidden = failureOf(error("Unknown", "UnknownError", { $metadata: { httpStatusCode: 403 } }), head);
    expect([forbidden.class, forbidden.message]).toEqual([
      "forbidden",
      'Cannot head bucket "b": 403; allow s3:ListBucket to these credentials',
    ]);
    expect(failureOf(error("Error", "read ECONNRESET", { code: "ECONNRESET" }), head).class).toBe("transient");
  });

  test("tells what a server that stands in says in words of its own", () => {
    const request = { service: "autoscaling", operation: "DescribeScalableTargets", input: {} } as const;
    const said = error("Unknown", "UnknownError", {
      error: "Unsupported service: application-autoscaling",
      $metadata: { httpStatusCode: 400 },
    });
    const failure = failureOf(said, { ...request, address: "http://stand-in" });
    expect([failure.class, failure.message]).toEqual([
      "unsupported",
      "Cannot describe scalable targets: Unsupported service: application-autoscaling (400); http://stand-in may not offer autoscaling:DescribeScalableTargets: leave out what needs it, or use a server that has it",
    ]);
    expect(failureOf(said, request).class).toBe("validation");
  });

  test("keeps how long to wait", () => {
    const limited = failureOf(
      error("SlowDown", "", { $response: { statusCode: 503, headers: { "retry-after": "3" } } }),
      call,
    );
    expect(limited.retryAfterMs).toBe(3000);
  });
});

test("absence and existence are data, other failures are not", async () => {
  const fails = (name: string) => Promise.reject(failureOf(error(name), call));
  expect(await orAbsent(fails("InvalidVpcID.NotFound"))).toBeUndefined();
  expect(await orNone(fails("Resource.AlreadyAssociated"), "Resource.AlreadyAssociated")).toBeUndefined();
  await expect(orAbsent(fails("InternalError"))).rejects.toMatchObject({ class: "transient" });
  await expect(orNone(fails("InternalError"), "Other")).rejects.toSatisfy((thrown) =>
    isAwsError(thrown, "InternalError"),
  );
});
