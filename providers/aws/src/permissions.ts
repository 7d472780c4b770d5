import type { ServiceName } from "./client.ts";

const prefixes: Readonly<Record<ServiceName, string>> = {
  acm: "acm",
  apigatewayv2: "apigateway",
  autoscaling: "application-autoscaling",
  ec2: "ec2",
  ecr: "ecr",
  ecs: "ecs",
  eks: "eks",
  elasticache: "elasticache",
  elbv2: "elasticloadbalancing",
  iam: "iam",
  logs: "logs",
  rds: "rds",
  route53: "route53",
  s3: "s3",
  sts: "sts",
};

/** Operations whose permission has another name. */
const exceptions: Readonly<Record<string, string>> = {
  "s3:HeadBucket": "s3:ListBucket",
  "s3:ListObjectsV2": "s3:ListBucket",
  "s3:ListObjectVersions": "s3:ListBucketVersions",
  "s3:ListBuckets": "s3:ListAllMyBuckets",
  "s3:HeadObject": "s3:GetObject",
  "s3:DeleteObjects": "s3:DeleteObject, s3:DeleteObjectVersion",
  "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
  "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
  "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
  "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
  "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
  "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
  "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
  "s3:GetBucketCors": "s3:GetBucketCORS",
  "s3:PutBucketCors": "s3:PutBucketCORS",
  "s3:DeleteBucketCors": "s3:PutBucketCORS",
  "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
  "s3:PutObjectLockConfiguration": "s3:PutBucketObjectLockConfiguration",
  "s3:DeleteBucketTagging": "s3:PutBucketTagging",
  "s3:CreateBucket": "s3:CreateBucket, s3:TagResource",
};

const apiGatewayVerbs: readonly (readonly [RegExp, string])[] = [
  [/^Get/, "apigateway:GET"],
  [/^(Create|Import)/, "apigateway:POST, apigateway:TagResource"],
  [/^(Update|Reimport)/, "apigateway:PATCH"],
  [/^(Delete|Untag)/, "apigateway:DELETE"],
  [/^Tag/, "apigateway:TagResource"],
];

/** The IAM permissions, as a policy names them, that a call needs. */
export function permissionOf(service: ServiceName, operation: string): string {
  if (service === "apigatewayv2") {
    return apiGatewayVerbs.find(([pattern]) => pattern.test(operation))?.[1] ?? "apigateway:*";
  }
  const name = `${prefixes[service]}:${operation}`;
  return exceptions[name] ?? name;
}

const serviceLinkedRole = ["iam:CreateServiceLinkedRole"];
const tagOnCreate: Readonly<Record<string, string>> = {
  acm: "acm:AddTagsToCertificate",
  "application-autoscaling": "application-autoscaling:TagResource",
  ec2: "ec2:CreateTags",
  ecr: "ecr:TagResource",
  ecs: "ecs:TagResource",
  eks: "eks:TagResource",
  elasticache: "elasticache:AddTagsToResource",
  elasticloadbalancing: "elasticloadbalancing:AddTags",
  logs: "logs:TagResource",
  rds: "rds:AddTagsToResource",
};
/** What some calls need beside their own permission. */
const alsoNeeded: Readonly<Record<string, readonly string[]>> = {
  "application-autoscaling:RegisterScalableTarget": serviceLinkedRole,
  "ecs:CreateCluster": serviceLinkedRole,
  "ecs:RegisterTaskDefinition": ["iam:PassRole"],
  "eks:CreateCluster": ["iam:PassRole", ...serviceLinkedRole],
  "eks:CreateNodegroup": ["iam:PassRole", ...serviceLinkedRole],
  "elasticache:CreateReplicationGroup": serviceLinkedRole,
  "elasticloadbalancing:CreateLoadBalancer": serviceLinkedRole,
  "iam:AddRoleToInstanceProfile": ["iam:PassRole"],
  "iam:CreateInstanceProfile": ["iam:TagInstanceProfile"],
  "iam:CreateRole": ["iam:TagRole"],
  "rds:CreateDBInstance": [
    ...serviceLinkedRole,
    "secretsmanager:CreateSecret",
    "secretsmanager:TagResource",
    "kms:DescribeKey",
  ],
};

/** Everything that a call needs, its own permission first. */
export function permissionsOf(service: ServiceName, operation: string): string[] {
  const own = permissionOf(service, operation).split(", ");
  const creates = /^(?:Create|Allocate|Register|Request|Import)/.test(operation);
  const tag = creates ? tagOnCreate[prefixes[service]] : undefined;
  return [...own, ...(tag === undefined ? [] : [tag]), ...own.flatMap((each) => alsoNeeded[each] ?? [])];
}
