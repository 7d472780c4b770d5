"""Where moto 5.2.5 does otherwise than AWS, and the tests would miss it or could not go on.

`before` may answer in moto's place; `after` may change what moto did or its answer. Each entry says what moto does.
"""

from dataclasses import dataclass
from typing import Any

from moto.backends import get_backend


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


BEFORE = {}
AFTER = {
    "s3.CreateBucket": tag_new_bucket,
}
