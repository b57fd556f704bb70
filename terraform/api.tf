# The HTTP API in front of the functions that have routes. Public: shoppers are not known to it, and the factory proves
# itself by the signature in its callback URL.

resource "aws_apigatewayv2_api" "sales" {
  name          = "${var.name}-sales"
  description   = "Sales API and the factory's callbacks"
  protocol_type = "HTTP"
}

locals {
  routes = merge([
    for name, function in local.stack.functions : { for route in try(function.routes, []) : route => name }
  ]...)
  http_functions = toset(values(local.routes))
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = local.http_functions

  api_id                 = aws_apigatewayv2_api.sales.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_alias.live[each.key].invoke_arn
  integration_method     = "POST"
  payload_format_version = "2.0"
  timeout_milliseconds   = (local.stack.functions[each.key].timeout + 1) * 1000

  lifecycle {
    precondition {
      condition     = local.stack.functions[each.key].timeout <= 28
      error_message = "${each.key} has routes: its timeout must be at most 28 s, because an HTTP API waits 29 s."
    }
  }
}

resource "aws_apigatewayv2_route" "this" {
  #checkov:skip=CKV_AWS_309:public on purpose, see the top of this file
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.sales.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this[each.value].id}"
  authorization_type = "NONE"
}

resource "aws_apigatewayv2_stage" "default" {
  api_id      = aws_apigatewayv2_api.sales.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.api_rate_limit
    throttling_burst_limit = var.api_burst_limit
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.api.arn
    # No query string: the callbacks' signatures are in it.
    format = jsonencode({
      at                = "$context.requestTime"
      request_id        = "$context.requestId"
      trace             = "$context.xrayTraceId"
      ip                = "$context.identity.sourceIp"
      method            = "$context.httpMethod"
      path              = "$context.path"
      route             = "$context.routeKey"
      status            = "$context.status"
      bytes             = "$context.responseLength"
      latency_ms        = "$context.responseLatency"
      integration_ms    = "$context.integrationLatency"
      integration_error = "$context.integrationErrorMessage"
    })
  }
}

resource "aws_cloudwatch_log_group" "api" {
  name              = "/aws/vendedlogs/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_lambda_permission" "api" {
  for_each = local.http_functions

  statement_id  = "http-api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_alias.live[each.key].function_name
  qualifier     = aws_lambda_alias.live[each.key].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.sales.execution_arn}/*/*"
}
