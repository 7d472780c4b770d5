import type { PartMapping, ProviderMapping, ReadAttribute, TypeMapping } from "./type-mapping.ts";

const arn = (read: ReadAttribute): string => {
  const found = read("arn") || read("id");
  return found.startsWith("arn:") ? found : "";
};

/** AWS's own id, with the region that the ARN tells: another than the provider's needs to be said. */
const withRegion =
  (...names: readonly string[]) =>
  (read: ReadAttribute): string => {
    const native = names.map(read).find((value) => value !== "") ?? "";
    const region = /^arn:[\w-]+:[\w-]+:([a-z]{2}(?:-[a-z]+)+-\d):/.exec(read("arn"))?.[1] ?? read("region");
    return native === "" || region === "" ? native : `${native}@${region}`;
  };

const types: readonly TypeMapping[] = [
  {
    terraform: ["aws_vpc", "aws_default_vpc"],
    pulumi: ["aws:ec2/vpc:Vpc", "aws:ec2/defaultVpc:DefaultVpc"],
    type: "infra.vpc",
    id: withRegion("id"),
    from: "id",
  },
  {
    terraform: ["aws_security_group", "aws_default_security_group"],
    pulumi: ["aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"],
    type: "infra.firewall",
    id: withRegion("id"),
    from: "id",
  },
  {
    terraform: ["aws_db_instance"],
    pulumi: ["aws:rds/instance:Instance"],
    type: "infra.database",
    id: arn,
    from: "arn",
  },
  {
    terraform: ["aws_elasticache_replication_group"],
    pulumi: ["aws:elasticache/replicationGroup:ReplicationGroup"],
    type: "infra.cache",
    id: withRegion("replication_group_id", "id"),
    from: "replication_group_id",
  },
  {
    terraform: ["aws_s3_bucket"],
    pulumi: ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"],
    type: "infra.storage",
    id: (read) => read("bucket") || read("id"),
    from: "bucket",
  },
  {
    terraform: ["aws_ecr_repository"],
    pulumi: ["aws:ecr/repository:Repository"],
    type: "infra.registry",
    id: arn,
    from: "arn",
  },
  {
    terraform: ["aws_ecs_service"],
    pulumi: ["aws:ecs/service:Service"],
    type: (read) =>
      read("launch_type") === "EC2"
        ? { why: "infra.container_service runs on Fargate, and this runs on EC2" }
        : "infra.container_service",
    id: arn,
    from: "id",
  },
  {
    terraform: ["aws_lb", "aws_alb"],
    pulumi: [
      "aws:lb/loadBalancer:LoadBalancer",
      "aws:alb/loadBalancer:LoadBalancer",
      "aws:applicationloadbalancing/loadBalancer:LoadBalancer",
      "aws:elasticloadbalancingv2/loadBalancer:LoadBalancer",
    ],
    type: (read) =>
      read("load_balancer_type") === "gateway"
        ? { why: "infra.load_balancer is an application or network load balancer, and this is a gateway" }
        : "infra.load_balancer",
    id: arn,
    from: "arn",
  },
  {
    terraform: ["aws_acm_certificate"],
    pulumi: ["aws:acm/certificate:Certificate"],
    type: "infra.certificate",
    id: arn,
    from: "arn",
  },
  {
    terraform: ["aws_route53_zone"],
    pulumi: ["aws:route53/zone:Zone"],
    type: "infra.dns",
    id: (read) => {
      const zone = (read("zone_id") || read("id")).replace(/^\/hostedzone\//, "");
      return zone === "" ? "" : `/hostedzone/${zone}`;
    },
    from: "zone_id",
  },
  {
    terraform: ["aws_iam_role"],
    pulumi: ["aws:iam/role:Role"],
    type: "infra.iam_role",
    id: arn,
    from: "arn",
  },
  {
    terraform: ["aws_eks_cluster"],
    pulumi: ["aws:eks/cluster:Cluster"],
    type: "infra.k8s_cluster",
    id: arn,
    from: "arn",
  },
  {
    terraform: ["aws_apigatewayv2_api"],
    pulumi: ["aws:apigatewayv2/api:Api"],
    type: "infra.api_gateway",
    // Its ARN has no account: the provider reads it, and so the region.
    id: withRegion("id"),
    from: "id",
  },
  {
    terraform: ["aws_appautoscaling_target"],
    pulumi: ["aws:appautoscaling/target:Target"],
    type: "infra.autoscaling_group",
    id: (read) => {
      const parts = ["service_namespace", "resource_id", "scalable_dimension"].map(read);
      if (parts.includes("")) return "";
      const region = /^arn:[\w-]+:[\w-]+:([a-z]{2}(?:-[a-z]+)+-\d):/.exec(read("arn"))?.[1] ?? read("region");
      return region === "" ? parts.join("|") : `${parts.join("|")}@${region}`;
    },
    from: "service_namespace, resource_id and scalable_dimension",
  },
];

const parts: readonly PartMapping[] = [
  {
    type: "infra.vpc",
    key: "subnets, nat_gateways and gateway_endpoints",
    terraform: [
      "aws_subnet",
      "aws_internet_gateway",
      "aws_internet_gateway_attachment",
      "aws_egress_only_internet_gateway",
      "aws_nat_gateway",
      "aws_eip",
      "aws_route",
      "aws_route_table",
      "aws_route_table_association",
      "aws_main_route_table_association",
      "aws_vpc_endpoint",
      "aws_vpc_ipv4_cidr_block_association",
    ],
    pulumi: [
      "aws:ec2/subnet:Subnet",
      "aws:ec2/internetGateway:InternetGateway",
      "aws:ec2/natGateway:NatGateway",
      "aws:ec2/eip:Eip",
      "aws:ec2/route:Route",
      "aws:ec2/routeTable:RouteTable",
      "aws:ec2/routeTableAssociation:RouteTableAssociation",
      "aws:ec2/vpcEndpoint:VpcEndpoint",
    ],
  },
  {
    type: "infra.firewall",
    key: "rules",
    terraform: ["aws_security_group_rule", "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"],
    pulumi: [
      "aws:ec2/securityGroupRule:SecurityGroupRule",
      "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
      "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    ],
  },
  {
    type: "infra.database",
    key: "subnet_ids",
    terraform: ["aws_db_subnet_group"],
    pulumi: ["aws:rds/subnetGroup:SubnetGroup"],
  },
  {
    type: "infra.cache",
    key: "subnet_ids",
    terraform: ["aws_elasticache_subnet_group"],
    pulumi: ["aws:elasticache/subnetGroup:SubnetGroup"],
  },
  {
    type: "infra.storage",
    key: "versioning, encryption, lifecycle rules and the like",
    terraform: [
      "aws_s3_bucket_accelerate_configuration",
      "aws_s3_bucket_acl",
      "aws_s3_bucket_cors_configuration",
      "aws_s3_bucket_lifecycle_configuration",
      "aws_s3_bucket_logging",
      "aws_s3_bucket_notification",
      "aws_s3_bucket_ownership_controls",
      "aws_s3_bucket_policy",
      "aws_s3_bucket_public_access_block",
      "aws_s3_bucket_server_side_encryption_configuration",
      "aws_s3_bucket_versioning",
      "aws_s3_bucket_website_configuration",
    ],
    pulumi: [
      "aws:s3/bucketAcl:BucketAcl",
      "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
      "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
      "aws:s3/bucketPolicy:BucketPolicy",
      "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
      "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
      "aws:s3/bucketVersioning:BucketVersioning",
      "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration",
    ],
  },
  {
    type: "infra.registry",
    key: "lifecycle and repository policies",
    terraform: ["aws_ecr_lifecycle_policy", "aws_ecr_repository_policy"],
    pulumi: ["aws:ecr/lifecyclePolicy:LifecyclePolicy", "aws:ecr/repositoryPolicy:RepositoryPolicy"],
  },
  {
    type: "infra.container_service",
    key: "image, cluster and logs",
    terraform: ["aws_ecs_cluster", "aws_ecs_cluster_capacity_providers", "aws_ecs_task_definition"],
    pulumi: ["aws:ecs/cluster:Cluster", "aws:ecs/taskDefinition:TaskDefinition"],
  },
  {
    type: "infra.load_balancer",
    key: "listeners and target_groups",
    terraform: [
      "aws_lb_listener",
      "aws_lb_listener_rule",
      "aws_lb_listener_certificate",
      "aws_lb_target_group",
      "aws_lb_target_group_attachment",
      "aws_alb_listener",
      "aws_alb_listener_rule",
      "aws_alb_target_group",
    ],
    pulumi: [
      "aws:lb/listener:Listener",
      "aws:lb/listenerRule:ListenerRule",
      "aws:lb/targetGroup:TargetGroup",
      "aws:lb/targetGroupAttachment:TargetGroupAttachment",
    ],
  },
  {
    type: "infra.certificate",
    key: "validation",
    terraform: ["aws_acm_certificate_validation"],
    pulumi: ["aws:acm/certificateValidation:CertificateValidation"],
  },
  {
    type: "infra.dns",
    key: "records",
    terraform: ["aws_route53_record", "aws_route53_zone_association"],
    pulumi: ["aws:route53/record:Record", "aws:route53/zoneAssociation:ZoneAssociation"],
  },
  {
    type: "infra.iam_role",
    key: "policies",
    terraform: ["aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_iam_instance_profile"],
    pulumi: [
      "aws:iam/rolePolicy:RolePolicy",
      "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
      "aws:iam/instanceProfile:InstanceProfile",
    ],
  },
  {
    type: "infra.k8s_cluster",
    key: "node groups and addons",
    terraform: ["aws_eks_node_group", "aws_eks_addon", "aws_eks_access_entry"],
    pulumi: ["aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"],
  },
  {
    type: "infra.api_gateway",
    key: "routes and stages",
    terraform: [
      "aws_apigatewayv2_authorizer",
      "aws_apigatewayv2_deployment",
      "aws_apigatewayv2_integration",
      "aws_apigatewayv2_route",
      "aws_apigatewayv2_stage",
    ],
    pulumi: [
      "aws:apigatewayv2/integration:Integration",
      "aws:apigatewayv2/route:Route",
      "aws:apigatewayv2/stage:Stage",
    ],
  },
  {
    type: "infra.autoscaling_group",
    key: "policies and scheduled_actions",
    terraform: ["aws_appautoscaling_policy", "aws_appautoscaling_scheduled_action"],
    pulumi: ["aws:appautoscaling/policy:Policy", "aws:appautoscaling/scheduledAction:ScheduledAction"],
  },
];

export const aws: ProviderMapping = { foreign: "aws", provider: "aws", types, parts };
