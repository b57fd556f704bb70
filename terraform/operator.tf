# What people who look after the flows may do: see executions, replay and discard parked tasks, redrive, stop, fork.
# Attach it to their role or permission set.

locals {
  operator_machines   = values(local.state_machine_arns)
  operator_executions = [for arn in local.operator_machines : replace(arn, ":stateMachine:", ":execution:")]

  operator_policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "FindThings"
        Effect = "Allow"
        Action = ["cloudwatch:GetMetricData", "lambda:ListEventSourceMappings", "sqs:ListQueues", "states:ListStateMachines"]
        # These list all there is, or nothing.
        Resource = "*"
      },
      {
        Sid    = "LookAtStateMachines"
        Effect = "Allow"
        Action = [
          "states:DescribeStateMachine", "states:ListExecutions", "states:ListStateMachineAliases",
          "states:ListStateMachineVersions", "states:ListTagsForResource", "states:StartExecution",
        ]
        Resource = flatten([for arn in local.operator_machines : [arn, "${arn}:*", "${arn}-fork-*"]])
      },
      {
        Sid    = "LookAtExecutionsAndMendThem"
        Effect = "Allow"
        Action = [
          "states:DescribeExecution", "states:DescribeStateMachineForExecution", "states:GetExecutionHistory",
          "states:RedriveExecution", "states:StopExecution",
        ]
        Resource = flatten([for arn in local.operator_executions : ["${arn}:*", "${arn}-fork-*:*"]])
      },
      {
        Sid      = "ReplayAndDiscardParkedTasks"
        Effect   = "Allow"
        Action   = ["states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"]
        Resource = flatten(values(local.with_forks))
      },
      {
        Sid    = "ClearDeadLetterQueues"
        Effect = "Allow"
        Action = [
          "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
          "sqs:ReceiveMessage",
        ]
        Resource = [for name, _ in local.dead_letter_queues : local.queue_arns[name]]
      },
      {
        Sid    = "SendWhatIsMendedBack"
        Effect = "Allow"
        Action = [
          "sqs:CancelMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:StartMessageMoveTask",
        ]
        Resource = [for name, queue in local.dead_letter_queues : local.queue_arns[name] if length(queue.sources) > 0]
      },
      {
        Sid      = "IntoTheSourceQueues"
        Effect   = "Allow"
        Action   = ["sqs:GetQueueAttributes", "sqs:SendMessage"]
        Resource = [for name, _ in local.mapped_sources : local.queue_arns[name]]
      },
      {
        Sid      = "MakeAndRemoveForks"
        Effect   = "Allow"
        Action   = ["states:CreateStateMachine", "states:DeleteStateMachine", "states:TagResource"]
        Resource = [for arn in local.operator_machines : "${arn}-fork-*"]
      },
      {
        Sid       = "ForksRunWithTheRoleOfTheirOrigin"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [for name, _ in local.stack.state_machines : "arn:${local.partition}:iam::${local.account}:role/${var.name}-states-${name}"]
        Condition = { StringEquals = { "iam:PassedToService" = "states.amazonaws.com" } }
      },
      {
        Sid       = "ReadAndSendMessagesEncrypted"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [aws_kms_key.this.arn]
        Condition = { StringEquals = { "kms:ViaService" = "sqs.${var.region}.amazonaws.com" } }
      },
      {
        Sid    = "ReadLogs"
        Effect = "Allow"
        Action = ["logs:FilterLogEvents", "logs:GetLogEvents"]
        Resource = [
          for group in concat(
            [for name, _ in local.stack.functions : "/aws/lambda/${var.prefix}${name}:*"],
            ["/aws/vendedlogs/states/${var.name}/*", "/aws/vendedlogs/apigateway/${var.name}:*"],
            [for name in local.made_databases : "/aws/rds/instance/${var.name}-${name}/*"],
          ) : "arn:${local.partition}:logs:${local.here}:log-group:${group}"
        ]
      },
      {
        Sid    = "LookAtAlarmsAndDashboard"
        Effect = "Allow"
        Action = ["cloudwatch:DescribeAlarms", "cloudwatch:GetDashboard"]
        Resource = [
          "arn:${local.partition}:cloudwatch:${local.here}:alarm:${var.name}-*",
          "arn:${local.partition}:cloudwatch::${local.account}:dashboard/${var.name}",
        ]
      },
    ]
  }
}

resource "aws_iam_policy" "operator" {
  name        = "${var.name}-operator"
  description = "${var.name}: look at executions, replay, discard, redrive, stop, fork"
  policy      = jsonencode(local.operator_policy)
}
