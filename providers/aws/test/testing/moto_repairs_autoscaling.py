"""Where moto does otherwise than Application Auto Scaling: tags, and namespaces that it does not know."""

import json

JSON = [("content-type", "application/x-amz-json-1.1")]
KNOWN = {
    "appstream", "rds", "lambda", "cassandra", "dynamodb", "custom-resource", "elasticmapreduce", "ec2", "comprehend",
    "ecs", "sagemaker", "kafka",
}  # fmt: skip
tags: dict = {}


def ok(body: dict):
    return "200 OK", JSON, json.dumps(body).encode()


def note_tags(call, answer):
    """moto drops the tags of a new target."""
    arn = json.loads(answer)["ScalableTargetARN"]
    if "Tags" in call.params:
        if arn in tags:
            raise ValueError("tags are only for new targets")
        tags[arn] = call.params["Tags"]


def list_tags(call):
    return ok({"Tags": tags.get(call.params["ResourceARN"], {})})


def change_tags(call):
    now = tags.setdefault(call.params["ResourceARN"], {})
    now.update(call.params.get("Tags", {}))
    for key in call.params.get("TagKeys", []):
        now.pop(key, None)
    return ok({})


def pass_unknown(call):
    """moto refuses namespaces that came later."""
    return None if call.params["ServiceNamespace"] in KNOWN else ok({"ScalableTargets": []})


BEFORE = {
    "application-autoscaling.ListTagsForResource": list_tags,
    "application-autoscaling.TagResource": change_tags,
    "application-autoscaling.UntagResource": change_tags,
    "application-autoscaling.DescribeScalableTargets": pass_unknown,
}
AFTER = {"application-autoscaling.RegisterScalableTarget": note_tags}
