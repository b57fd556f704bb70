# What each function may do follows from what stack.json gives it: a topic's ARN in its environment lets it publish
# there, a state machine's lets it start executions, a mapping lets it read the queue, `answers` names the state
# machines whose task tokens it may answer.

locals {
  environment_text = { for name, function in local.stack.functions : name => jsonencode(try(function.environment, {})) }

  function_uses = {
    for name, text in local.environment_text : name => {
      topics   = distinct(flatten(regexall("\\$\\{topic_arn_([a-z0-9_]+)\\}", text)))
      machines = distinct(flatten(regexall("\\$\\{state_machine_arn_([a-z0-9_]+)\\}", text)))
      answers  = try(local.stack.functions[name].answers, [])
      queues   = [for mapping in local.stack.event_source_mappings : mapping.queue if mapping.function == name]
      secrets  = [for secret, arn in local.secret_arns : arn if strcontains(text, "$${${secret}}")]
      mail     = strcontains(text, "$${mail_from}")
      vpc      = contains(local.in_vpc, name)
    }
  }

  # A state machine, its versions and aliases, and its forks, which operators make and which are named <name>-fork-<id>.
  with_forks = { for name, arn in local.state_machine_arns : name => [arn, "${arn}:*", "${arn}-fork-*"] }

  trace_statement = {
    Sid    = "Trace"
    Effect = "Allow"
    Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    # X-Ray knows no resources for these.
    Resource = "*"
  }

  vpc_actions = [
    "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
  ]

  function_policies = {
    for name, uses in local.function_uses : name => {
      Version = "2012-10-17"
      Statement = concat(
        [
          {
            Sid      = "Log"
            Effect   = "Allow"
            Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
            Resource = "arn:${local.partition}:logs:${local.here}:log-group:/aws/lambda/${var.prefix}${name}:*"
          },
          local.trace_statement,
          {
            Sid    = "UseKey"
            Effect = "Allow"
            # Publishing encrypts; reading an environment, a secret or a queue decrypts.
            Action   = length(uses.topics) > 0 ? ["kms:Decrypt", "kms:GenerateDataKey"] : ["kms:Decrypt"]
            Resource = concat([aws_kms_key.this.arn], length(uses.secrets) > 0 ? var.secrets_kms_key_arns : [])
          },
        ],
        [for statement in [{
          Sid      = "Publish"
          Effect   = "Allow"
          Action   = ["sns:Publish"]
          Resource = [for topic in uses.topics : local.topic_arns[topic]]
        }] : statement if length(uses.topics) > 0],
        [for statement in [{
          Sid      = "StartExecutions"
          Effect   = "Allow"
          Action   = ["states:StartExecution"]
          Resource = flatten([for machine in uses.machines : [local.state_machine_arns[machine], "${local.state_machine_arns[machine]}:${local.alias}"]])
        }] : statement if length(uses.machines) > 0],
        [for statement in [{
          Sid      = "AnswerTokens"
          Effect   = "Allow"
          Action   = ["states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"]
          Resource = flatten([for machine in uses.answers : local.with_forks[machine]])
        }] : statement if length(uses.answers) > 0],
        [for statement in [{
          Sid      = "ReadQueues"
          Effect   = "Allow"
          Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
          Resource = [for queue in uses.queues : local.queue_arns[queue]]
        }] : statement if length(uses.queues) > 0],
        [for statement in [{
          Sid      = "ReadSecrets"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = uses.secrets
        }] : statement if length(uses.secrets) > 0],
        [for statement in [{
          Sid       = "SendMail"
          Effect    = "Allow"
          Action    = ["ses:SendEmail"]
          Resource  = concat([local.mail_identity_arn, local.configuration_set_arn], local.sandbox_recipient_arns)
          Condition = { StringEquals = { "ses:FromAddress" = var.mail_from } }
        }] : statement if uses.mail],
        [for statement in [
          {
            Sid    = "EnterVpc"
            Effect = "Allow"
            Action = local.vpc_actions
            # Lambda's network interfaces have no ARN before they exist, and Describe actions know no resources.
            Resource = "*"
          },
          {
            Sid       = "OnlyLambdaItselfEntersVpc"
            Effect    = "Deny"
            Action    = local.vpc_actions
            Resource  = "*"
            Condition = { ArnEquals = { "lambda:SourceFunctionArn" = local.function_arns[name] } }
          },
        ] : statement if uses.vpc],
      )
    }
  }
}

resource "aws_iam_role" "function" {
  for_each = local.stack.functions

  name        = "${var.name}-${each.key}"
  description = "${var.name}: what the function ${each.key} may do"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = local.function_policies

  name   = "derived-from-the-stack"
  role   = aws_iam_role.function[each.key].id
  policy = jsonencode(each.value)
}
