# Alarms, as one table. Each description says where its section in the runbook is.

locals {
  machine_alarms = merge([
    for name, arn in local.state_machine_arns : {
      for metric, words in {
        ExecutionsFailed   = "failed"
        ExecutionsTimedOut = "timed-out"
        ExecutionsAborted  = "aborted"
        } : "${name}-${words}" => {
        namespace  = "AWS/States"
        metric     = metric
        dimensions = { StateMachineArn = arn }
        statistic  = "Sum"
        limit      = 1
        what       = "An execution of ${name} ended badly (${words})"
        runbook    = "execution-ended-badly"
      }
    }
  ]...)

  queue_alarms = merge(
    {
      for name, queue in local.dead_letter_queues : "${name}-depth" => {
        namespace  = "AWS/SQS"
        metric     = "ApproximateNumberOfMessagesVisible"
        dimensions = { QueueName = "${var.prefix}${name}" }
        statistic  = "Maximum"
        limit      = 1
        what       = queue.parks != null ? "${queue.parks} is parked" : "Messages nobody could handle are in ${name}"
        runbook    = queue.parks != null ? "task-parked" : "dead-letter-queue"
      }
    },
    {
      for name, queue in local.dead_letter_queues : "${name}-age" => {
        namespace  = "AWS/SQS"
        metric     = "ApproximateAgeOfOldestMessage"
        dimensions = { QueueName = "${var.prefix}${name}" }
        statistic  = "Maximum"
        limit      = var.alarm_limits.parked_age
        what       = "${queue.parks} has been parked for long; after 13 days it fails"
        runbook    = "parked-for-long"
      } if queue.parks != null
    },
    {
      for name, queue in local.mapped_sources : "${name}-age" => {
        namespace  = "AWS/SQS"
        metric     = "ApproximateAgeOfOldestMessage"
        dimensions = { QueueName = "${var.prefix}${name}" }
        statistic  = "Maximum"
        limit      = var.alarm_limits.queue_age
        what       = "Messages wait too long in ${name}"
        runbook    = "queue-not-drained"
      }
    },
  )

  # Written to its log once a minute by the sweep of factory_callback, see tasks/src/metrics.rs.
  our_alarms = {
    waiting-age = {
      namespace  = "restock"
      metric     = "WaitingOldestSeconds"
      dimensions = { FunctionName = "${var.prefix}factory_callback" }
      statistic  = "Maximum"
      limit      = var.alarm_limits.waiting_age
      what       = "The factory has not answered for long"
      runbook    = "factory-silent"
    }
    outbox-age = {
      namespace  = "restock"
      metric     = "OutboxOldestSeconds"
      dimensions = { FunctionName = "${var.prefix}factory_callback" }
      statistic  = "Maximum"
      limit      = var.alarm_limits.outbox_age
      what       = "Sales are not published"
      runbook    = "outbox-not-drained"
    }
    sweep-silent = {
      namespace  = "restock"
      metric     = "WaitingTokens"
      dimensions = { FunctionName = "${var.prefix}factory_callback" }
      statistic  = "SampleCount"
      limit      = 1
      below      = true
      periods    = 3
      missing    = "breaching"
      what       = "The sweep has not run for 15 minutes"
      runbook    = "sweep-silent"
    }
  }

  function_alarms = merge([
    for name, _ in local.stack.functions : {
      "${name}-errors" = {
        namespace  = "AWS/Lambda"
        metric     = "Errors"
        dimensions = { FunctionName = "${var.prefix}${name}" }
        statistic  = "Sum"
        limit      = var.alarm_limits.function_errors
        what       = "${name} fails often"
        runbook    = "function-errors"
      }
      "${name}-throttles" = {
        namespace  = "AWS/Lambda"
        metric     = "Throttles"
        dimensions = { FunctionName = "${var.prefix}${name}" }
        statistic  = "Sum"
        limit      = var.alarm_limits.throttles
        what       = "${name} is throttled"
        runbook    = "function-throttled"
      }
    }
  ]...)

  api_alarms = {
    api-5xx = {
      namespace  = "AWS/ApiGateway"
      metric     = "5xx"
      dimensions = { ApiId = aws_apigatewayv2_api.sales.id }
      statistic  = "Sum"
      limit      = var.alarm_limits.api_5xx
      what       = "The Sales API answers with errors of ours"
      runbook    = "api-errors"
    }
  }

  # Who watches the alerts: these show in the console and on the dashboard even where no mail arrives.
  alert_alarms = merge(
    {
      for name, _ in local.stack.rules : "${name}-undelivered" => {
        namespace  = "AWS/Events"
        metric     = "FailedInvocations"
        dimensions = { RuleName = "${var.prefix}${name}" }
        statistic  = "Sum"
        limit      = 1
        what       = "The rule ${name} could not tell operations"
        runbook    = "alerts-undelivered"
      }
    },
    {
      for name in local.alert_topics : "${name}-undelivered" => {
        namespace  = "AWS/SNS"
        metric     = "NumberOfNotificationsFailed"
        dimensions = { TopicName = "${var.prefix}${name}" }
        statistic  = "Sum"
        limit      = 1
        what       = "Alerts of ${name} did not reach a subscriber"
        runbook    = "alerts-undelivered"
      }
    },
  )

  database_alarms = merge([
    for name in local.made_databases : {
      "${name}-cpu" = {
        namespace  = "AWS/RDS"
        metric     = "CPUUtilization"
        dimensions = { DBInstanceIdentifier = module.database[name].identifier }
        statistic  = "Average"
        limit      = 80
        periods    = 3
        what       = "The ${name} database is busy"
        runbook    = "database-busy"
      }
      "${name}-connections" = {
        namespace  = "AWS/RDS"
        metric     = "DatabaseConnections"
        dimensions = { DBInstanceIdentifier = module.database[name].identifier }
        statistic  = "Maximum"
        limit      = var.alarm_limits["${name}_connections"]
        what       = "The ${name} database is running out of connections"
        runbook    = "database-connections"
      }
      "${name}-storage" = {
        namespace  = "AWS/RDS"
        metric     = "FreeStorageSpace"
        dimensions = { DBInstanceIdentifier = module.database[name].identifier }
        statistic  = "Minimum"
        limit      = 2147483648
        below      = true
        what       = "The ${name} database runs out of storage"
        runbook    = "database-full"
      }
    }
  ]...)

  alarms = merge(
    local.machine_alarms, local.queue_alarms, local.our_alarms, local.function_alarms, local.api_alarms,
    local.alert_alarms, local.database_alarms,
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.what}. What to do: ${var.runbook_url}#${each.value.runbook}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 300
  evaluation_periods  = try(each.value.periods, 1)
  threshold           = each.value.limit
  comparison_operator = try(each.value.below, false) ? "LessThanThreshold" : "GreaterThanOrEqualToThreshold"
  treat_missing_data  = try(each.value.missing, "notBreaching")
  alarm_actions       = [for topic in local.alert_topics : aws_sns_topic.this[topic].arn]
  ok_actions          = [for topic in local.alert_topics : aws_sns_topic.this[topic].arn]
}
