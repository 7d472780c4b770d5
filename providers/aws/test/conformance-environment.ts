import type { IncomingMessage } from "node:http";
import { CreateSubnetCommand, CreateVpcCommand, EC2Client } from "@aws-sdk/client-ec2";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { CreateHostedZoneCommand, Route53Client } from "@aws-sdk/client-route-53";
import { startMoto } from "./testing/moto.ts";
import { startProxy, type Proxy } from "./testing/proxy.ts";
import { unkept } from "./testing/unkept.ts";

const secret = "secret+of/the+conformance";
const keys = ["AKIACONFORMANCECONFO", "AKIATESTTESTTESTTEST"] as const;
const always = Number.POSITIVE_INFINITY;

/**
 * An account on moto for the samples of conformance.json, with what they stand on: a network and a zone. The samples that
 * say "fails" fail half-way, and those that are slow never come up.
 */
export async function startConformanceEnvironment(): Promise<{ env: Record<string, string>; stop(): Promise<void> }> {
  const options = {
    target: await startMoto(),
    accountId: String(process.pid).padStart(12, "3"),
    secrets: new Map(keys.map((key) => [key, secret])),
  };
  const direct = await startProxy(options);
  const sdk = {
    endpoint: direct.url,
    region: "us-east-1",
    credentials: { accessKeyId: keys[1], secretAccessKey: secret },
  };
  const [ec2, ecs] = [new EC2Client(sdk), new ECSClient(sdk)];
  const proxy = await startProxy({ ...options, before: (request, body) => ensureService(ecs, request, body) });
  const { Vpc: vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
  const subnets: string[] = [];
  for (const [index, zone] of ["a", "b"].entries()) {
    const place = { CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `us-east-1${zone}` };
    const { Subnet } = await ec2.send(new CreateSubnetCommand({ VpcId: vpc?.VpcId, ...place }));
    subnets.push(Subnet?.SubnetId ?? "");
  }
  const zone = { Name: "example.com", CallerReference: "conformance" };
  const { HostedZone } = await new Route53Client(sdk).send(new CreateHostedZoneCommand(zone));
  failHalfWay(proxy);
  slowDown(proxy);
  return {
    env: {
      AWS_CONFORMANCE_SECRET: secret,
      AWS_CONFORMANCE_ENDPOINT: proxy.url,
      AWS_CONFORMANCE_VPC: vpc?.VpcId ?? "",
      AWS_CONFORMANCE_SUBNET_A: subnets[0] ?? "",
      AWS_CONFORMANCE_SUBNET_B: subnets[1] ?? "",
      AWS_CONFORMANCE_ZONE: HostedZone?.Id?.replace("/hostedzone/", "") ?? "",
      AWS_EC2_METADATA_DISABLED: "true",
    },
    async stop() {
      for (const [what, found] of [
        ["Requests that the services' models do not allow", proxy.violations],
        ["What a write said and the next read did not", unkept(proxy)],
      ] as const) {
        if (found.length === 0) continue;
        process.exitCode = 1;
        console.error(`${what}:\n${[...new Set(found)].join("\n")}`);
      }
      await Promise.all([proxy.close(), direct.close()]);
    },
  };
}

function failHalfWay(proxy: Proxy): void {
  const faults: Record<string, string> = {
    "apigatewayv2.CreateRoute": "BadRequestException",
    "application-autoscaling.PutScalingPolicy": "ValidationException",
    "ec2.AuthorizeSecurityGroupIngress": "InvalidParameterValue",
    "ecr.PutLifecyclePolicy": "InvalidParameterException",
    "route53.ChangeResourceRecordSets": "InvalidChangeBatch",
    "s3.PutBucketLifecycleConfiguration": "InvalidRequest",
  };
  for (const [operation, error] of Object.entries(faults)) {
    proxy.fail({ operation, body: "fails", times: always, fault: { error } });
  }
}

function slowDown(proxy: Proxy): void {
  const replaceIn = (body: string, part: RegExp, change: (part: string) => string): string =>
    body.replaceAll(part, change);
  proxy.rewrite("rds.DescribeDBInstances", (body) =>
    replaceIn(body, /<DBInstance>.*?<\/DBInstance>/gs, (each) =>
      each.includes("<Engine>mysql</Engine>") ? each.replace(">available<", ">creating<") : each,
    ),
  );
  proxy.rewrite("elasticache.DescribeReplicationGroups", (body) =>
    replaceIn(body, /<ReplicationGroup>.*?<\/ReplicationGroup>/gs, (each) =>
      each.includes(">valkey<") ? each.replace("<Status>available<", "<Status>creating<") : each,
    ),
  );
  proxy.rewrite("acm.DescribeCertificate", (body) =>
    body.includes('"slow.example.com"') ? body.replaceAll('"ISSUED"', '"PENDING_VALIDATION"') : body,
  );
  proxy.rewrite("eks.DescribeCluster", (body) =>
    /"version":\s*"1\.31"/.test(body) ? body.replace(/"ACTIVE"/, '"CREATING"') : body,
  );
  // One that is asked for by its ARN.
  proxy.rewrite("elbv2.DescribeLoadBalancers", (body) =>
    body.split("<LoadBalancerArn>").length === 2 && body.includes("<Type>network</Type>")
      ? body.replace(/<Code>active<\/Code>/, "<Code>provisioning</Code>")
      : body,
  );
  proxy.rewrite("ec2.DescribeNatGateways", (body) => body.replaceAll("<state>available<", "<state>pending<"));
  proxy.rewrite("ecs.DescribeServices", (body) =>
    body.includes('"desiredCount": 7')
      ? body
          .replaceAll(/"runningCount": \d+/g, '"runningCount": 0')
          // One without any would be taken for one whose server starts no tasks.
          .replaceAll('"events": []', '"events": [{"id": "1", "createdAt": 1, "message": "is slow"}]')
      : body,
  );
  // moto has one id for all changes.
  proxy.rewrite("route53.ChangeResourceRecordSets", (body, call) =>
    call.body.includes("<Name>slow.dns") && !call.body.includes("DELETE")
      ? body.replace(/<Id>[^<]+</, "<Id>/change/CSLOW<")
      : body,
  );
  proxy.rewrite("route53.GetChange", (body) => (body.includes("CSLOW") ? body.replace("INSYNC", "PENDING") : body));
}

/** A scalable target needs the service that it scales. */
async function ensureService(ecs: ECSClient, { headers }: IncomingMessage, body: string): Promise<void> {
  const service = /"service\/default\/([^"]+)"/.exec(body)?.[1];
  if (service === undefined || headers["x-amz-target"] !== "AnyScaleFrontendService.RegisterScalableTarget") return;
  await ecs.send(new CreateClusterCommand({ clusterName: "default" }));
  const container = { name: "main", image: "nginx", memory: 128 };
  const task = await ecs.send(
    new RegisterTaskDefinitionCommand({ family: service, containerDefinitions: [container] }),
  );
  const { taskDefinitionArn: taskDefinition } = task.taskDefinition ?? {};
  await ecs.send(new CreateServiceCommand({ serviceName: service, taskDefinition, desiredCount: 1 })).catch(() => {});
}
