# One page that answers: does it sell, does it reorder, what waits for a person?

locals {
  # Each chart: its title, and its metrics as [namespace, metric, dimension, value, ..., statistic].
  charts = [
    {
      title   = "Executions"
      metrics = flatten([for name, arn in local.state_machine_arns : [for metric in ["ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"] : jsonencode(["AWS/States", metric, "StateMachineArn", arn, { label = "${name} ${metric}", stat = "Sum" }])]])
    },
    {
      title   = "What waits for a person: parked tasks and dead letters"
      metrics = [for name, _ in local.dead_letter_queues : jsonencode(["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${var.prefix}${name}", { label = name, stat = "Maximum" }])]
    },
    {
      title   = "Waiting for the factory, in seconds"
      metrics = [jsonencode(["restock", "WaitingOldestSeconds", "FunctionName", "${var.prefix}factory_callback", { label = "oldest", stat = "Maximum" }])]
    },
    {
      title = "Waiting: reorders at the factory, sales in the outbox"
      metrics = [for metric in ["WaitingTokens", "OutboxWaiting"] :
      jsonencode(["restock", metric, "FunctionName", "${var.prefix}factory_callback", { label = metric, stat = "Maximum" }])]
    },
    {
      title   = "Oldest message of each source queue, in seconds"
      metrics = [for name, _ in local.mapped_sources : jsonencode(["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "${var.prefix}${name}", { label = name, stat = "Maximum" }])]
    },
    {
      title   = "Sales API"
      metrics = [for metric in ["Count", "4xx", "5xx"] : jsonencode(["AWS/ApiGateway", metric, "ApiId", aws_apigatewayv2_api.sales.id, { label = metric, stat = "Sum" }])]
    },
    {
      title   = "Sales API, slowest of a hundred, in milliseconds"
      metrics = [jsonencode(["AWS/ApiGateway", "Latency", "ApiId", aws_apigatewayv2_api.sales.id, { label = "p99", stat = "p99" }])]
    },
    {
      title = "Alerts that did not arrive"
      metrics = concat(
        [for name, _ in local.stack.rules : jsonencode(["AWS/Events", "FailedInvocations", "RuleName", "${var.prefix}${name}", { label = name, stat = "Sum" }])],
        [for name in local.alert_topics : jsonencode(["AWS/SNS", "NumberOfNotificationsFailed", "TopicName", "${var.prefix}${name}", { label = name, stat = "Sum" }])],
      )
    },
    {
      title   = "Errors of functions"
      metrics = [for name, _ in local.stack.functions : jsonencode(["AWS/Lambda", "Errors", "FunctionName", "${var.prefix}${name}", { label = name, stat = "Sum" }])]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [
      for index, chart in local.charts : {
        type   = "metric"
        x      = (index % 2) * 12
        y      = floor(index / 2) * 6
        width  = 12
        height = 6
        properties = {
          title   = chart.title
          region  = var.region
          period  = 300
          metrics = [for metric in chart.metrics : jsondecode(metric)]
        }
      }
    ]
  })
}
