"""moto in server mode for the provider's tests.

Around moto's application: every request is checked against botocore's service models (required members, types, lengths,
patterns, enumerations), the answer names the operation, and what moto does unlike AWS is put right (see `repairs`).
Prints the port; ends with the process that is given as the argument.
"""

import io
import json
import logging
import os
import re
import sys
import threading
import time
import traceback

os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("MOTO_ACM_VALIDATION_WAIT", "1")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from botocore.validate import ParamValidator  # noqa: E402
from moto.core.parse import PROTOCOL_PARSERS  # noqa: E402
from moto.core.request import Request, determine_request_protocol  # noqa: E402
from moto.core.routing import get_service_router  # noqa: E402
from moto.core.utils import get_service_model  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402

import moto_repairs  # noqa: E402

SIGNING_NAMES = {
    "elasticloadbalancing": "elbv2",
    "apigateway": "apigatewayv2",
    "tagging": "resourcegroupstaggingapi",
}


def service_of(environ):
    match = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
    if match is None:
        return None, None
    return SIGNING_NAMES.get(match.group(2), match.group(2)), match.group(1)


def parse(service, environ):
    """The operation and its parameters."""
    request = Request(environ)
    operation, path_params = get_service_router(service).match(request)
    model = get_service_model(service)
    protocol = determine_request_protocol(model, request.content_type)
    parser = PROTOCOL_PARSERS[protocol](operation, map_type=dict)
    params = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.get_data(),
            "url_path": request.path,
            "url_params": path_params,
        }
    )
    return operation, params


def violations(operation, params):
    shape = operation.input_shape
    if shape is None:
        return []
    report = ParamValidator().validate(params, shape)
    found = [report.generate_report()] if report.has_errors() else []
    walk(params, shape, "", found)
    return found


def walk(value, shape, path, found):
    """What botocore leaves to the service: lengths, patterns, enumerations."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            if value.get(name) is not None:
                walk(value[name], member, f"{path}.{name}", found)
    elif kind == "list" and isinstance(value, list):
        check_size(len(value), shape, path, found)
        for index, item in enumerate(value):
            walk(item, shape.member, f"{path}[{index}]", found)
    elif kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            walk(key, shape.key, f"{path}.{key}", found)
            walk(item, shape.value, f"{path}.{key}", found)
    elif kind == "string" and isinstance(value, str):
        check_size(len(value), shape, path, found)
        if shape.enum and value not in shape.enum:
            found.append(f"{path}: {value!r} is none of {shape.enum[:12]}")
        pattern = shape.metadata.get("pattern")
        if pattern and not matches(pattern, value):
            found.append(f"{path}: {value!r} does not match {pattern}")
    elif kind in ("integer", "long") and isinstance(value, int) and not isinstance(value, bool):
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if (low is not None and value < low) or (high is not None and value > high):
            found.append(f"{path}: {value} is not within {low} and {high}")


def check_size(size, shape, path, found):
    high = shape.metadata.get("max")
    if high is not None and size > high:
        found.append(f"{path}: has {size} elements or characters, expected at most {high}")


def matches(pattern, value):
    try:
        return re.search(f"^(?:{pattern})$", value, re.DOTALL) is not None
    except re.error:
        return True


class Application:
    def __init__(self):
        self.moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ, start_response):
        service, region = service_of(environ)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        operation = params = None
        found = []
        if service is not None:
            try:
                operation, params = parse(service, environ)
                found = violations(operation, params)
            except Exception as error:  # noqa: BLE001
                found = [f"cannot be read: {type(error).__name__}: {error}"]
            environ["wsgi.input"] = io.BytesIO(body)
            environ.pop("werkzeug.request", None)
        name = f"{service}.{operation.name}" if operation is not None else f"{service}.?"
        notes = [("x-wfctl-operation", name)]
        if found:
            notes.append(("x-wfctl-violations", json.dumps(found)))
        if environ.get("HTTP_X_WFCTL_ONLY_NAME"):
            start_response("200 OK", notes)
            return [b""]
        try:
            return self.answer(name, params or {}, region, environ, body, notes, start_response)
        except Exception as error:  # noqa: BLE001
            place = traceback.extract_tb(error.__traceback__)[-1]
            text = f"moto failed: {type(error).__name__}: {error} ({place.filename}:{place.lineno})"
            start_response("500 moto", [("x-wfctl-operation", name), ("x-wfctl-violations", json.dumps([text]))])
            return [b""]

    def answer(self, name, params, region, environ, body, notes, start_response):
        call = moto_repairs.Call(name, params, region, environ.get("HTTP_X_MOTO_ACCOUNT_ID", ""), environ, body)
        answer = moto_repairs.before(call)
        if answer is not None:
            status, headers, text = answer
            start_response(status, [*headers, *notes, ("content-length", str(len(text)))])
            return [text]
        state = {}

        def collect(status, headers, exc_info=None):
            state["status"], state["headers"] = status, headers

        chunks = b"".join(self.moto(environ, collect))
        if state["status"].startswith("2"):
            chunks = moto_repairs.after(call, chunks)
        headers = [(key, value) for key, value in state["headers"] if key.lower() != "content-length"]
        if environ["REQUEST_METHOD"] == "HEAD":
            headers = state["headers"]
        else:
            headers.append(("content-length", str(len(chunks))))
        start_response(state["status"], [*headers, *notes])
        return [chunks]


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args, **kwargs):
        pass


def end_with(pid):
    while True:
        time.sleep(1)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            os._exit(0)


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, Application(), threaded=True, request_handler=Handler)
    threading.Thread(target=end_with, args=(int(sys.argv[1]),), daemon=True).start()
    print(server.server_port, flush=True)
    server.serve_forever()
