# What each state machine may do follows from the placeholders in its definition.

locals {
  definition_uses = {
    for name, machine in local.stack.state_machines : name => {
      for kind in ["function_arn", "queue_url", "topic_arn"] : kind => distinct(flatten(
        regexall("\\$\\{${kind}_([a-z0-9_]+)\\}", file("${local.workflows}/${machine.definition}"))
      ))
    }
  }

  state_machine_policies = {
    for name, uses in local.definition_uses : name => {
      Version = "2012-10-17"
      Statement = concat(
        [for statement in [{
          Sid      = "InvokeFunctions"
          Effect   = "Allow"
          Action   = ["lambda:InvokeFunction"]
          Resource = [for function in uses.function_arn : "${local.function_arns[function]}:${local.alias}"]
        }] : statement if length(uses.function_arn) > 0],
        [for statement in [{
          Sid      = "SendMessages"
          Effect   = "Allow"
          Action   = ["sqs:SendMessage"]
          Resource = [for queue in uses.queue_url : local.queue_arns[queue]]
        }] : statement if length(uses.queue_url) > 0],
        [for statement in [{
          Sid      = "Publish"
          Effect   = "Allow"
          Action   = ["sns:Publish"]
          Resource = [for topic in uses.topic_arn : local.topic_arns[topic]]
        }] : statement if length(uses.topic_arn) > 0],
        [
          {
            Sid      = "UseKey"
            Effect   = "Allow"
            Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
            Resource = [aws_kms_key.this.arn]
          },
          merge(local.trace_statement, {
            Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets"]
          }),
          {
            Sid    = "DeliverLogs"
            Effect = "Allow"
            Action = [
              "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups",
              "logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries",
              "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
            ]
            # The log delivery service knows no resources for these.
            Resource = "*"
          },
        ],
      )
    }
  }
}

resource "aws_iam_role" "state_machine" {
  for_each = local.stack.state_machines

  name        = "${var.name}-states-${each.key}"
  description = "${var.name}: what the state machine ${each.key} and its forks may do"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = [local.state_machine_arns[each.key], "${local.state_machine_arns[each.key]}-fork-*"] }
      }
    }]
  })
}

resource "aws_iam_role_policy" "state_machine" {
  for_each = local.state_machine_policies

  name   = "derived-from-the-definition"
  role   = aws_iam_role.state_machine[each.key].id
  policy = jsonencode(each.value)
}
