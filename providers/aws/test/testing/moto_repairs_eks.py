"""Where moto does otherwise than EKS: it starts clusters at once with what it was told last, and changes nothing later."""

import json
import uuid

JSON = [("content-type", "application/json")]
updates: dict = {}
extras: dict = {}


def error(status: int, code: str, message: str):
    headers = [*JSON, ("x-amzn-errortype", code)]
    return f"{status} Error", headers, json.dumps({"__type": code, "message": message}).encode()


def find(call):
    return call.backend("eks").clusters.get(call.params.get("name") or call.params.get("clusterName"))


def extra(call, cluster):
    return extras.setdefault(cluster.arn, {"authenticationMode": "CONFIG_MAP"})


def succeed(kind: str):
    made = {"id": str(uuid.uuid4()), "status": "Successful", "type": kind, "params": [], "errors": []}
    updates[made["id"]] = made
    return "200 OK", JSON, json.dumps({"update": made}).encode()


def check_new_cluster(call):
    """moto takes a cluster with one subnet, and a second create of the same token as a conflict."""
    if len(call.params["resourcesVpcConfig"].get("subnetIds", [])) < 2:
        return error(400, "InvalidParameterException", "Subnets specified must be in at least two different AZs")
    return None


def fill_new_cluster(call, _answer):
    """moto leaves out what EKS fills in."""
    cluster = find(call)
    config = cluster.resources_vpc_config
    extras.pop(cluster.arn, None)
    extra(call, cluster).update(call.params.get("accessConfig") or {})
    config.setdefault("endpointPublicAccess", True)
    config.setdefault("endpointPrivateAccess", False)
    config.setdefault("publicAccessCidrs", ["0.0.0.0/0"])
    config["clusterSecurityGroupId"] = "sg-0123456789abcdef0"
    network = {"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16"}
    cluster.kubernetes_network_config = {**network, **(call.params.get("kubernetesNetworkConfig") or {})}


def show_cluster(call, answer):
    """moto forgets how one may enter a cluster."""
    data = json.loads(answer)
    cluster = find(call)
    data["cluster"]["accessConfig"] = {"authenticationMode": extra(call, cluster)["authenticationMode"]}
    return json.dumps(data).encode()


def update_config(call):
    """moto answers nothing, and EKS takes one kind of change at a time, and none that changes nothing."""
    cluster = find(call)
    if cluster is None:
        return None
    kinds = [key for key in ("resourcesVpcConfig", "logging", "accessConfig") if key in call.params]
    vpc = call.params.get("resourcesVpcConfig", {})
    mixed = ("subnetIds" in vpc or "securityGroupIds" in vpc) and ("endpointPublicAccess" in vpc)
    if len(kinds) != 1 or mixed:
        return error(400, "InvalidParameterException", "Only one type of update can be allowed")
    if vpc:
        if all(cluster.resources_vpc_config.get(key) == value for key, value in vpc.items()):
            return error(400, "InvalidParameterException", "Cluster is already at the desired configuration")
        cluster.resources_vpc_config.update(vpc)
        return succeed("VpcConfigUpdate")
    if "logging" in call.params:
        cluster.logging = call.params["logging"]
        return succeed("LoggingUpdate")
    extra(call, cluster).update(call.params["accessConfig"])
    return succeed("AccessConfigUpdate")


def update_version(call):
    """moto has no UpdateClusterVersion."""
    cluster = find(call)
    if cluster is None:
        return error(404, "ResourceNotFoundException", "No cluster found")
    if int(call.params["version"].split(".")[1]) != int(cluster.version.split(".")[1]) + 1:
        return error(400, "InvalidParameterException", f"Unsupported Kubernetes minor version update from {cluster.version}")
    cluster.version = call.params["version"]
    return succeed("VersionUpdate")


def update_group_version(call):
    """moto has no UpdateNodegroupVersion."""
    group = find(call).nodegroups[call.params["nodegroupName"]]
    group.version = call.params["version"]
    return succeed("VersionUpdate")


def fill_new_group(call, _answer):
    """moto gives new nodes an old version instead of the cluster's, and forgets how they are replaced."""
    cluster = find(call)
    group = cluster.nodegroups[call.params["nodegroupName"]]
    group.version = call.params.get("version") or cluster.version
    group.update_config = call.params.get("updateConfig") or {"maxUnavailable": 1}


def update_group_config(call):
    """moto replaces taints and labels in a way of its own."""
    group = find(call).nodegroups.get(call.params["nodegroupName"])
    if group is None:
        return None
    labels = call.params.get("labels") or {}
    group.labels = {k: v for k, v in group.labels.items() if k not in labels.get("removeLabels", [])}
    group.labels.update(labels.get("addOrUpdateLabels") or {})
    taints = call.params.get("taints") or {}
    added, removed = taints.get("addOrUpdateTaints", []), taints.get("removeTaints", [])
    same = lambda taint, others: any(t["key"] == taint["key"] and t["effect"] == taint["effect"] for t in others)  # noqa: E731
    group.taints = [taint for taint in group.taints if not same(taint, [*added, *removed])] + added
    group.scaling_config = {**group.scaling_config, **(call.params.get("scalingConfig") or {})}
    group.update_config = call.params.get("updateConfig") or group.update_config
    return succeed("ConfigUpdate")


def describe_update(call):
    """moto has no DescribeUpdate."""
    found = updates.get(call.params["updateId"])
    if found is None:
        return error(404, "ResourceNotFoundException", "No update found")
    return "200 OK", JSON, json.dumps({"update": found}).encode()


def tag_group(call):
    """moto cannot tag node groups."""
    kind, cluster, name = (call.params["resourceArn"].split(":", 5)[5].split("/") + ["", ""])[:3]
    if kind != "nodegroup":
        return None
    group = call.backend("eks").clusters[cluster].nodegroups[name]
    gone = call.params.get("tagKeys", [])
    group.tags = {**{k: v for k, v in group.tags.items() if k not in gone}, **call.params.get("tags", {})}
    return "200 OK", JSON, b"{}"


def list_groups(call):
    """moto breaks where the cluster is missing."""
    return None if find(call) is not None else error(404, "ResourceNotFoundException", "No cluster found")


BEFORE = {
    "eks.ListNodegroups": list_groups,
    "eks.TagResource": tag_group,
    "eks.UntagResource": tag_group,
    "eks.CreateCluster": check_new_cluster,
    "eks.UpdateClusterConfig": update_config,
    "eks.UpdateClusterVersion": update_version,
    "eks.UpdateNodegroupVersion": update_group_version,
    "eks.UpdateNodegroupConfig": update_group_config,
    "eks.DescribeUpdate": describe_update,
}
AFTER = {
    "eks.CreateCluster": fill_new_cluster,
    "eks.DescribeCluster": show_cluster,
    "eks.CreateNodegroup": fill_new_group,
}
