"""Where moto does otherwise than ElastiCache: nodes of groups, changes of them, and their end."""

from xml.sax.saxutils import escape

XML = [("content-type", "text/xml")]


def ok(operation: str, inner: str = ""):
    text = f"<{operation}Response><{operation}Result>{inner}</{operation}Result></{operation}Response>"
    return "200 OK", XML, text.encode()


def error(code: str, message: str):
    text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return "404 Not Found" if "NotFound" in code else "400 Bad Request", XML, text.encode()


def groups(call):
    return call.backend("elasticache").replication_groups


def set_nodes(group, count: int):
    group.member_clusters = [f"{group.replication_group_id}-{index + 1:0>3}" for index in range(count)]


def fill_new_group(call, _answer):
    """moto lists one node whatever it is asked for, and leaves out what ElastiCache fills in."""
    group = groups(call)[call.params["ReplicationGroupId"]]
    if group.cluster_mode != "enabled":
        set_nodes(group, call.params.get("NumCacheClusters", 1))
    group.engine_version = (group.engine_version or "7.1") + ".0"
    group.security_group_ids = group.security_group_ids or ["sg-default"]
    group.cache_subnet_group_name = group.cache_subnet_group_name or "default"
    group.cache_parameter_group_name = group.cache_parameter_group_name or "default.redis7"
    group.preferred_maintenance_window = group.preferred_maintenance_window or "sun:05:00-sun:06:00"


def show_nodes(call):
    """moto has no nodes of groups."""
    wanted = call.params.get("CacheClusterId")
    for group in groups(call).values():
        if wanted not in group.member_clusters:
            continue
        members = "".join(
            f"<member><SecurityGroupId>{each}</SecurityGroupId><Status>active</Status></member>"
            for each in group.security_group_ids
        )
        inner = (
            f"<CacheClusters><CacheCluster><CacheClusterId>{wanted}</CacheClusterId>"
            f"<Engine>{group.engine}</Engine><EngineVersion>{group.engine_version}</EngineVersion>"
            f"<PreferredMaintenanceWindow>{group.preferred_maintenance_window}</PreferredMaintenanceWindow>"
            f"<CacheSubnetGroupName>{escape(group.cache_subnet_group_name)}</CacheSubnetGroupName>"
            "<CacheParameterGroup><CacheParameterGroupName>"
            f"{group.cache_parameter_group_name}</CacheParameterGroupName></CacheParameterGroup>"
            f"<SecurityGroups>{members}</SecurityGroups></CacheCluster></CacheClusters>"
        )
        return ok("DescribeCacheClusters", inner)
    return error("CacheClusterNotFound", "Cache cluster not found")


def keep_changes(call, _answer):
    """moto forgets most of what a change says."""
    group = groups(call)[call.params["ReplicationGroupId"]]
    if "EngineVersion" in call.params:
        group.engine_version = call.params["EngineVersion"] + ".0"
    for name, attribute in (
        ("SecurityGroupIds", "security_group_ids"),
        ("CacheParameterGroupName", "cache_parameter_group_name"),
        ("SnapshotWindow", "snapshot_window"),
        ("PreferredMaintenanceWindow", "preferred_maintenance_window"),
        ("AutoMinorVersionUpgrade", "auto_minor_version_upgrade"),
    ):
        if name in call.params:
            setattr(group, attribute, call.params[name])


def change_replicas(call):
    """moto breaks on both. A group with failover keeps a replica."""
    group = groups(call)[call.params["ReplicationGroupId"]]
    count = call.params["NewReplicaCount"]
    if count == 0 and group.automatic_failover == "enabled" and group.cluster_mode != "enabled":
        return error("InvalidReplicationGroupState", "Automatic failover needs a replica")
    set_nodes(group, (count + 1) * len(group.node_groups))
    return ok(call.name.split(".")[1])


def change_shards(call):
    """moto cannot change shards."""
    group = groups(call)[call.params["ReplicationGroupId"]]
    count, per_shard = call.params["NodeGroupCount"], len(group.member_clusters) // len(group.node_groups)
    removed = call.params.get("NodeGroupsToRemove", [])
    kept = [each for each in group.node_groups if each["node_group_id"] not in removed]
    group.node_groups = kept + [{**kept[0], "node_group_id": f"{index + 1:0>4}"} for index in range(len(kept), count)]
    set_nodes(group, per_shard * count)
    return ok("ModifyReplicationGroupShardConfiguration")


def delete_group(call):
    """moto keeps a deleted group for ever."""
    found = groups(call).pop(call.params["ReplicationGroupId"], None)
    if found is None:
        return error("ReplicationGroupNotFoundFault", "Replication group not found")
    return ok("DeleteReplicationGroup")


def change_subnets(call):
    """moto has neither ModifyCacheSubnetGroup nor DeleteCacheSubnetGroup."""
    backend = call.backend("elasticache")
    name = call.params["CacheSubnetGroupName"]
    found = backend.cache_subnet_groups.get(name)
    if found is None:
        return error("CacheSubnetGroupNotFoundFault", "Cache subnet group not found")
    if call.name.endswith("DeleteCacheSubnetGroup"):
        if any(group.cache_subnet_group_name == name for group in groups(call).values()):
            return error("CacheSubnetGroupInUse", "Cache subnet group is in use")
        backend.cache_subnet_groups.pop(name)
        return "200 OK", XML, b"<DeleteCacheSubnetGroupResponse/>"
    made = type(found)(
        account_id=backend.account_id,
        region_name=backend.region_name,
        cache_subnet_group_name=name,
        cache_subnet_group_description=found.cache_subnet_group_description,
        subnet_ids=call.params["SubnetIds"],
        tags=found.tags,
    )
    backend.cache_subnet_groups[name] = made
    return ok("ModifyCacheSubnetGroup")


BEFORE = {
    "elasticache.DescribeCacheClusters": show_nodes,
    "elasticache.IncreaseReplicaCount": change_replicas,
    "elasticache.DecreaseReplicaCount": change_replicas,
    "elasticache.ModifyReplicationGroupShardConfiguration": change_shards,
    "elasticache.DeleteReplicationGroup": delete_group,
    "elasticache.ModifyCacheSubnetGroup": change_subnets,
    "elasticache.DeleteCacheSubnetGroup": change_subnets,
}
AFTER = {
    "elasticache.CreateReplicationGroup": fill_new_group,
    "elasticache.ModifyReplicationGroup": keep_changes,
}
