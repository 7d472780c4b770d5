"""Where moto 5.2.5 does otherwise than AWS, and the tests would miss it or could not go on.

`before` may answer in moto's place; `after` may change what moto did or its answer. Each entry says what moto does.
"""

import json
from dataclasses import dataclass
from typing import Any

import moto_repairs_apigateway
import moto_repairs_autoscaling
import moto_repairs_eks
import moto_repairs_elasticache
from moto.backends import get_backend
from moto.rds.models import DBParameterGroup


@dataclass
class Call:
    name: str
    params: dict
    region: str | None
    account: str
    environ: dict
    body: bytes

    def backend(self, service: str, region: str | None = None) -> Any:
        return get_backend(service)[self.account][region or self.region]


def before(call: Call):
    handler = BEFORE.get(call.name)
    return handler(call) if handler is not None else None


def after(call: Call, answer: bytes) -> bytes:
    handler = AFTER.get(call.name)
    changed = handler(call, answer) if handler is not None else None
    return answer if changed is None else changed


def tag_new_bucket(call: Call, _answer: bytes):
    """moto drops the tags of a create call."""
    tags = (call.params.get("CreateBucketConfiguration") or {}).get("Tags") or []
    if tags:
        backend = call.backend("s3", "aws")
        backend.put_bucket_tagging(call.params["Bucket"], {tag["Key"]: tag["Value"] for tag in tags})


def set_private_dns(call: Call, _answer: bytes):
    """moto leaves the name of an endpoint as it was made."""
    if call.params.get("PrivateDnsEnabled") is not None:
        endpoint = call.backend("ec2").vpc_end_points[call.params["VpcEndpointId"]]
        endpoint.private_dns_enabled = call.params["PrivateDnsEnabled"]


def json_error(code: str, message: str):
    text = json.dumps({"__type": code, "message": message}).encode()
    return "400 Bad Request", [("content-type", "application/x-amz-json-1.1"), ("x-amzn-errortype", code)], text


# What create and update say of a service and moto forgets.
SERVICE_MEMBERS = (
    "deploymentConfiguration",
    "capacityProviderStrategy",
    "healthCheckGracePeriodSeconds",
    "enableExecuteCommand",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "propagateTags",
)
services: dict = {}


def service_key(call: Call, name: str):
    cluster = call.params.get("cluster", "default").split("/")[-1]
    return call.account, call.region, cluster, name.split("/")[-1]


def create_service_once(call: Call):
    """moto makes a second service of the same name, or breaks. AWS refuses, but for a repeated client token."""
    name = call.params.get("serviceName", "")
    cluster = call.params.get("cluster", "default").split("/")[-1]
    found = call.backend("ecs").services.get(f"{cluster}:{name}")
    if found is None or found.status != "ACTIVE":
        return None
    saved = services.get(service_key(call, name), {})
    if saved.get("clientToken") == call.params.get("clientToken"):
        body = {"service": {**found.response_object, "serviceArn": found.arn}}
        return "200 OK", [("content-type", "application/x-amz-json-1.1")], json.dumps(body, default=str).encode()
    return json_error("InvalidParameterException", "Creation of service was not idempotent.")


def settle_services(call: Call, answer: bytes):
    """moto never runs a task of a service with a network, and keeps little of what it is told."""
    name = call.params.get("serviceName") or call.params.get("service")
    if name is not None:
        saved = services.setdefault(service_key(call, name), {})
        if call.name == "ecs.CreateService":
            saved.clear()
            saved["clientToken"] = call.params.get("clientToken")
        saved.update({key: call.params[key] for key in SERVICE_MEMBERS if key in call.params})
    data = json.loads(answer)
    for service in data.get("services", []) + [data[key] for key in ("service",) if key in data]:
        saved = services.get(service_key(call, service["serviceName"]), {})
        service.update({key: saved[key] for key in SERVICE_MEMBERS if key in saved})
        running = service["desiredCount"] if service["status"] == "ACTIVE" else 0
        service.update(runningCount=running, pendingCount=0)
        service["deployments"] = [
            {**deployment, "rolloutState": "COMPLETED", "taskDefinition": service.get("taskDefinition")}
            for deployment in service.get("deployments", [])[-1:]
        ]
    return json.dumps(data).encode()


certificates: dict = {}


def note_certificate(call: Call, answer: bytes):
    """moto forgets the key algorithm."""
    arn = json.loads(answer)["CertificateArn"]
    certificates.setdefault(arn, {"KeyAlgorithm": call.params.get("KeyAlgorithm", "RSA_2048")})


def change_certificate(call: Call):
    """moto has no UpdateCertificateOptions."""
    certificates.setdefault(call.params["CertificateArn"], {})["Options"] = call.params["Options"]
    return "200 OK", [("content-type", "application/x-amz-json-1.1")], b"{}"


def show_certificate(call: Call, answer: bytes):
    data = json.loads(answer)
    data["Certificate"].update(certificates.get(data["Certificate"]["CertificateArn"], {}))
    return json.dumps(data).encode()


changing_subnet_groups: dict = {}


def hold_subnet_group(call: Call):
    """moto loses a subnet group that is modified."""
    name = call.params["DBSubnetGroupName"]
    changing_subnet_groups[(call.account, call.region, name)] = call.backend("rds").subnet_groups.get(name)


def return_subnet_group(call: Call, _answer: bytes):
    name = call.params["DBSubnetGroupName"]
    group = changing_subnet_groups.pop((call.account, call.region, name), None)
    if group is not None:
        call.backend("rds").subnet_groups[name] = group


def provide_default_parameters(call: Call):
    """moto has the engines' own parameter groups for new instances only."""
    groups = call.backend("rds").db_parameter_groups
    name = call.params.get("DBParameterGroupName", "")
    if name.startswith("default.") and name not in groups:
        groups[name] = DBParameterGroup(call.backend("rds"), name, "Default", name.removeprefix("default."))


def reset_parameters(call: Call):
    """moto has no ResetDBParameterGroup."""
    group = call.backend("rds").db_parameter_groups[call.params["DBParameterGroupName"]]
    for parameter in call.params["Parameters"]:
        group.parameters.pop(parameter["ParameterName"], None)
    return "200 OK", [("content-type", "text/xml")], b"<ResetDBParameterGroupResponse/>"


def keep_used_parameters(call: Call):
    """moto deletes a parameter group that an instance uses."""
    name = call.params["DBParameterGroupName"]
    if all(name != each.db_parameter_group_name for each in call.backend("rds").databases.values()):
        return None
    error = "<Code>InvalidDBParameterGroupState</Code><Message>One or more database instances are still members</Message>"
    text = f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>"
    return "400 Bad Request", [("content-type", "text/xml")], text.encode()


def size_containers(call: Call):
    """moto fails for containers that name no memory of their own, which on Fargate is the task's."""
    definition = call.backend("ecs").describe_task_definition(call.params["taskDefinition"])
    for container in definition.container_definitions:
        container.setdefault("memory", 128)


def filter_streams(call: Call, answer: bytes):
    """moto ignores logStreamNamePrefix."""
    prefix = call.params.get("logStreamNamePrefix", "")
    data = json.loads(answer)
    data["events"] = [event for event in data["events"] if event["logStreamName"].startswith(prefix)]
    return json.dumps(data).encode()


BEFORE = {
    "ecs.RunTask": size_containers,
    "rds.DeleteDBParameterGroup": keep_used_parameters,
    "rds.ModifyDBInstance": provide_default_parameters,
    "rds.ModifyDBSubnetGroup": hold_subnet_group,
    "rds.ResetDBParameterGroup": reset_parameters,
    **moto_repairs_apigateway.BEFORE,
    **moto_repairs_autoscaling.BEFORE,
    **moto_repairs_eks.BEFORE,
    **moto_repairs_elasticache.BEFORE,
    "acm.UpdateCertificateOptions": change_certificate,
    "ecs.CreateService": create_service_once,
}
AFTER = {
    "ec2.ModifyVpcEndpoint": set_private_dns,
    "logs.FilterLogEvents": filter_streams,
    "rds.ModifyDBSubnetGroup": return_subnet_group,
    **moto_repairs_apigateway.AFTER,
    **moto_repairs_autoscaling.AFTER,
    **moto_repairs_eks.AFTER,
    **moto_repairs_elasticache.AFTER,
    "acm.RequestCertificate": note_certificate,
    "acm.DescribeCertificate": show_certificate,
    "s3.CreateBucket": tag_new_bucket,
    "ecs.CreateService": settle_services,
    "ecs.UpdateService": settle_services,
    "ecs.DescribeServices": settle_services,
}
