# EventBridge Scheduler invokes what stack.json schedules.

resource "aws_scheduler_schedule" "this" {
  #checkov:skip=CKV_AWS_297:the payload is an option like {"sweep":true}, nothing to hide; Scheduler encrypts it with AWS's key
  for_each = local.stack.schedules

  name                = "${var.prefix}${each.key}"
  description         = "${var.name}: ${each.value.function}"
  schedule_expression = "rate(${each.value.rate_minutes} ${each.value.rate_minutes == 1 ? "minute" : "minutes"})"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_alias.live[each.value.function].arn
    role_arn = aws_iam_role.scheduler.arn
    input    = jsonencode(each.value.input)

    # The next run does what this one could not.
    retry_policy {
      maximum_event_age_in_seconds = 60
      maximum_retry_attempts       = 1
    }
  }
}

resource "aws_iam_role" "scheduler" {
  name        = "${var.name}-scheduler"
  description = "${var.name}: invokes the scheduled functions"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

locals {
  scheduler_policy = {
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = ["lambda:InvokeFunction"]
      Resource = [
        for function in distinct([for schedule in values(local.stack.schedules) : schedule.function]) :
        "${local.function_arns[function]}:${local.alias}"
      ]
    }]
  }
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "invoke-scheduled-functions"
  role   = aws_iam_role.scheduler.id
  policy = jsonencode(local.scheduler_policy)
}
