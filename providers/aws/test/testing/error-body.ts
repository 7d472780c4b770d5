import type { IncomingMessage } from "node:http";

/** An error as the service that was called would say it. */
export function errorBody(
  request: IncomingMessage,
  code: string,
  message: string,
): { headers: Record<string, string>; body: string } {
  const service = /\/([\w-]+)\/aws4_request/.exec(request.headers.authorization ?? "")?.[1] ?? "";
  const isJson = "x-amz-target" in request.headers || ["eks", "apigateway"].includes(service);
  if (isJson) {
    return {
      headers: { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code },
      body: JSON.stringify({ __type: code, message }),
    };
  }
  const error = `<Code>${code}</Code><Message>${message}</Message>`;
  const bodies: Record<string, string> = {
    ec2: `<Response><Errors><Error>${error}</Error></Errors><RequestID>0</RequestID></Response>`,
    s3: `<Error>${error}</Error>`,
  };
  const body =
    bodies[service] ??
    `<ErrorResponse><Error><Type>Sender</Type>${error}</Error><RequestId>0</RequestId></ErrorResponse>`;
  return { headers: { "content-type": "text/xml" }, body: `<?xml version="1.0" encoding="UTF-8"?>${body}` };
}
