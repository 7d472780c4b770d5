"""Where moto does otherwise than API Gateway: lists and changes that it does not have."""

import json
import uuid

JSON = [("content-type", "application/json")]
deployments: dict = {}


def ok(body: dict, status: str = "200 OK"):
    return status, JSON, json.dumps(body).encode()


def error(status: int, code: str, message: str):
    return f"{status} Error", [*JSON, ("x-amzn-errortype", code)], json.dumps({"message": message}).encode()


def find(call):
    return call.backend("apigatewayv2").apis.get(call.params["ApiId"])


def body_of(call):
    return json.loads(call.body or b"{}")


def list_authorizers(call):
    """moto has no GetAuthorizers."""
    api = find(call)
    return None if api is None else ok({"items": [each.to_json() for each in api.authorizers.values()]})


def create_route_once(call):
    """moto makes a second route of the same key."""
    keys = [route.route_key for route in find(call).routes.values()]
    return error(409, "ConflictException", "Route exists") if call.params["RouteKey"] in keys else None


def clear_route(call, _answer):
    """moto keeps scopes and authorizers that a change takes away."""
    route = find(call).routes[call.params["RouteId"]]
    route.authorization_scopes = call.params.get("AuthorizationScopes", route.authorization_scopes)
    route.authorizer_id = route.authorizer_id or None


def create_stage_once(call):
    """moto replaces the stage."""
    exists = call.params["StageName"] in find(call).stages
    return error(409, "ConflictException", "Stage already exists") if exists else None


def note_deployment(call, _answer):
    """moto forgets which deployment a stage serves."""
    stage = find(call).stages[call.params["StageName"]]
    stage.deployment_id = call.params.get("DeploymentId")


def update_stage(call):
    """moto has no UpdateStage."""
    body = body_of(call)
    stage = find(call).stages.get(call.params["StageName"])
    if stage is None:
        return error(404, "NotFoundException", "Invalid stage identifier specified")
    variables = {**stage.stage_variables, **body.get("stageVariables", {})}
    stage.stage_variables = {key: value for key, value in variables.items() if value != ""}
    stage.description = body.get("description", stage.description)
    stage.auto_deploy = body.get("autoDeploy", stage.auto_deploy)
    stage.default_route_settings = body.get("defaultRouteSettings", stage.default_route_settings)
    stage.access_log_settings = body.get("accessLogSettings", stage.access_log_settings)
    stage.deployment_id = body.get("deploymentId", getattr(stage, "deployment_id", None))
    return ok({**stage.to_json(), "deploymentId": stage.deployment_id})


def show_stages(call, answer):
    data = json.loads(answer)
    for stage in data["items"]:
        found = getattr(find(call).stages[stage["stageName"]], "deployment_id", None)
        if found:
            stage["deploymentId"] = found
    return json.dumps(data).encode()


def create_deployment(call):
    """moto has no deployments."""
    made = {"deploymentId": uuid.uuid4().hex[:6], "description": body_of(call).get("description")}
    deployments.setdefault(call.params["ApiId"], []).append(made)
    return ok(made, "201 Created")


def list_deployments(call):
    return ok({"items": deployments.get(call.params["ApiId"], [])})


BEFORE = {
    "apigatewayv2.GetAuthorizers": list_authorizers,
    "apigatewayv2.CreateRoute": create_route_once,
    "apigatewayv2.CreateStage": create_stage_once,
    "apigatewayv2.UpdateStage": update_stage,
    "apigatewayv2.CreateDeployment": create_deployment,
    "apigatewayv2.GetDeployments": list_deployments,
}
AFTER = {
    "apigatewayv2.UpdateRoute": clear_route,
    "apigatewayv2.CreateStage": note_deployment,
    "apigatewayv2.GetStages": show_stages,
}
