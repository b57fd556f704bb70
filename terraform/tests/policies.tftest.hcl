# Least privilege, read from the policy documents themselves.

mock_provider "aws" {
  source = "./tests/mocks"
}

# Configured, but never called: the secrets are given, so that nothing random is made. tests/databases.tftest.hcl has those
# that are made.
provider "aws" {
  alias                       = "random"
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

run "least_privilege" {
  command = plan

  # No wildcards.

  # Everything an identity is allowed: a role's or the operators' policy.
  assert {
    condition = alltrue([
      for statement in flatten([
        for policy in concat(
          [for p in aws_iam_role_policy.function : p.policy], [for p in aws_iam_role_policy.state_machine : p.policy],
          [aws_iam_role_policy.scheduler.policy, aws_iam_policy.operator.policy],
        ) : jsondecode(policy).Statement
      ]) : alltrue([for action in flatten([statement.Action]) : !strcontains(action, "*")])
    ])
    error_message = "A policy has an action with a wildcard."
  }

  # "*" as the resource only where AWS knows no better, for exactly these actions.
  assert {
    condition = alltrue([
      for statement in flatten([
        for policy in concat(
          [for p in aws_iam_role_policy.function : p.policy], [for p in aws_iam_role_policy.state_machine : p.policy],
          [aws_iam_role_policy.scheduler.policy, aws_iam_policy.operator.policy],
        ) : jsondecode(policy).Statement
        ]) : alltrue([
        for action in flatten([statement.Action]) : contains([
          "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
          "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups",
          "logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries",
          "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
          "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
          "cloudwatch:GetMetricData", "lambda:ListEventSourceMappings", "sqs:ListQueues", "states:ListStateMachines",
        ], action)
      ]) if contains(flatten([statement.Resource]), "*")
    ])
    error_message = "A statement has the resource * without need."
  }

  # A wildcard inside an ARN only at its end or for forks and their executions.
  assert {
    condition = alltrue([
      for resource in flatten([
        for policy in concat(
          [for p in aws_iam_role_policy.function : p.policy], [for p in aws_iam_role_policy.state_machine : p.policy],
          [aws_iam_role_policy.scheduler.policy, aws_iam_policy.operator.policy],
        ) : [for statement in jsondecode(policy).Statement : statement.Resource]
      ]) : resource == "*" || can(regex("^arn:aws:[a-z]+:[a-z0-9-]*:111122223333:[^*]+(:\\*|/\\*|-fork-\\*|-fork-\\*:\\*)?$", resource)) || resource == "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:restock-*"
    ])
    error_message = "A resource is wider than a name."
  }

  # Nobody but Lambda itself uses the network permissions.
  assert {
    condition = alltrue([
      for policy in [for p in aws_iam_role_policy.function : jsondecode(p.policy)] :
      length([for s in policy.Statement : s if s.Sid == "EnterVpc"]) == length([for s in policy.Statement : s if s.Sid == "OnlyLambdaItselfEntersVpc" && s.Effect == "Deny"])
    ])
    error_message = "A function's code may use the network interfaces' permissions."
  }

  # Functions may do what the stack gives them.

  assert {
    condition = jsonencode({
      for name, policy in local.function_policies : name => sort(distinct(flatten([
        for s in policy.Statement : s.Action if !contains(["Log", "Trace", "UseKey", "EnterVpc", "OnlyLambdaItselfEntersVpc"], s.Sid)
      ])))
      }) == jsonencode({
      sales_api        = ["secretsmanager:GetSecretValue", "sns:Publish"]
      start_reorder    = ["secretsmanager:GetSecretValue", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "states:StartExecution"]
      check_stock      = ["secretsmanager:GetSecretValue"]
      request_factory  = ["secretsmanager:GetSecretValue"]
      await_callback   = ["secretsmanager:GetSecretValue", "states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"]
      factory_callback = ["secretsmanager:GetSecretValue", "sns:Publish", "states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess", "states:StartExecution"]
      increase_stock   = ["secretsmanager:GetSecretValue", "sns:Publish", "states:StartExecution"]
      email_ads        = ["secretsmanager:GetSecretValue", "ses:SendEmail", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"]
      relay_outbox     = ["secretsmanager:GetSecretValue", "sns:Publish"]
      start_vip        = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "states:StartExecution"]
      upgrade_tier     = ["secretsmanager:GetSecretValue"]
      sync_marketing   = []
      migrate          = ["secretsmanager:GetSecretValue"]
    })
    error_message = "What functions may do changed: ${jsonencode({ for name, policy in local.function_policies : name => sort(distinct(flatten([for s in policy.Statement : s.Action]))) })}"
  }
  assert {
    condition     = one([for s in local.function_policies["sales_api"].Statement : s.Resource if s.Sid == "Publish"]) == ["arn:aws:sns:eu-central-1:111122223333:order_placed", "arn:aws:sns:eu-central-1:111122223333:stock_empty"]
    error_message = "sales_api may publish elsewhere."
  }
  assert {
    condition     = one([for s in local.function_policies["email_ads"].Statement : s.Resource if s.Sid == "ReadQueues"]) == ["arn:aws:sqs:eu-central-1:111122223333:ads_queue", "arn:aws:sqs:eu-central-1:111122223333:ads_queue_dlq"]
    error_message = "email_ads reads other queues than its own."
  }
  assert {
    condition     = one([for s in local.function_policies["email_ads"].Statement : s.Resource if s.Sid == "AnswerTokens"]) == ["arn:aws:states:eu-central-1:111122223333:stateMachine:reorder", "arn:aws:states:eu-central-1:111122223333:stateMachine:reorder:*", "arn:aws:states:eu-central-1:111122223333:stateMachine:reorder-fork-*"]
    error_message = "email_ads answers tokens of other state machines."
  }

  # State machines may do what their definitions name.

  assert {
    condition = jsonencode({
      for name, policy in local.state_machine_policies : name => flatten([
        for s in policy.Statement : [for resource in s.Resource : reverse(split(":", trimsuffix(resource, ":live")))[0]] if contains(["InvokeFunctions", "SendMessages", "Publish"], s.Sid)
      ])
      }) == jsonencode({
      reorder = ["check_stock", "request_factory", "await_callback", "increase_stock", "check_stock_dlq", "ads_queue", "email_ads_dlq", "request_factory_dlq", "await_callback_dlq", "increase_stock_dlq", "ops_alerts"]
      vip     = ["upgrade_tier", "sync_marketing", "upgrade_tier_dlq", "sync_marketing_dlq", "ops_alerts"]
    })
    error_message = "What state machines may reach changed."
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.state_machine : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "111122223333"])
    error_message = "Another account's state machine could take the role."
  }

  # Functions that wait for a token may answer it.

  # Resource "...lambda:invoke.waitForTaskToken" and queues that get a token: whoever receives it must be allowed to use it.
  assert {
    condition = alltrue([
      for name, machine in local.stack.state_machines : alltrue([
        for function in flatten(regexall("lambda:invoke\\.waitForTaskToken\",\\s*\"Arguments\": \\{\\s*\"FunctionName\": \"\\$\\{function_arn_([a-z_]+)\\}", file("${local.workflows}/${machine.definition}"))) :
        contains(try(local.stack.functions[function].answers, []), name)
      ])
    ])
    error_message = "A function gets a task token and may not answer it: add the state machine to its `answers`."
  }
  assert {
    condition = alltrue([
      for name, machine in local.stack.state_machines : alltrue([
        for mapping in local.stack.event_source_mappings : contains(try(local.stack.functions[mapping.function].answers, []), name)
        if contains(flatten(regexall("sqs:sendMessage\\.waitForTaskToken\",\\s*\"Arguments\": \\{\\s*\"QueueUrl\": \"\\$\\{queue_url_([a-z_]+)\\}", file("${local.workflows}/${machine.definition}"))), mapping.queue)
      ])
    ])
    error_message = "A function reads task tokens from a queue and may not answer them: add the state machine to its `answers`."
  }

  # Queues and topics let in only who feeds them.

  assert {
    condition = alltrue(flatten([
      for name, policy in merge(local.queue_policies, local.topic_policies) : [
        for statement in policy.Statement :
        statement.Effect == "Deny" || (can(statement.Principal.Service) && (can(statement.Condition) || try(statement.Principal.Service, null) == "events.amazonaws.com"))
      ]
    ]))
    error_message = "A queue or topic is open."
  }
  assert {
    condition = jsonencode({
      for name, policy in local.queue_policies : name => [for s in policy.Statement : s.Condition.ArnEquals["aws:SourceArn"] if s.Effect == "Allow"]
      if length(policy.Statement) > 1
      }) == jsonencode({
      stock_queue     = ["arn:aws:sns:eu-central-1:111122223333:stock_empty"]
      stock_queue_dlq = ["arn:aws:sns:eu-central-1:111122223333:stock_empty"]
      vip_queue       = ["arn:aws:sns:eu-central-1:111122223333:order_placed"]
      vip_queue_dlq   = ["arn:aws:sns:eu-central-1:111122223333:order_placed"]
    })
    error_message = "Topics feed other queues than their subscriptions say."
  }
  assert {
    condition     = alltrue([for policy in values(merge(local.queue_policies, local.topic_policies)) : length([for s in policy.Statement : s if s.Sid == "OnlyEncrypted" && s.Effect == "Deny"]) == 1])
    error_message = "A queue or topic accepts unencrypted connections."
  }
  assert {
    condition     = alltrue([for statement in local.key_policy.Statement : !can(statement.Principal.Service) || can(statement.Condition) || try(statement.Principal.Service, null) == "events.amazonaws.com"])
    error_message = "A service may use the key for any account."
  }

  # With a condition EventBridge's alerts would be dropped: it names no account and no rule, neither to SNS nor to KMS.
  assert {
    condition = [
      for statement in concat(local.topic_policies["ops_alerts"].Statement, local.key_policy.Statement) :
      can(statement.Condition) if contains(flatten([try(statement.Principal.Service, [])]), "events.amazonaws.com")
    ] == [false, false]
    error_message = "EventBridge cannot publish to the encrypted topic."
  }
  assert {
    condition = alltrue([
      for service in ["sns.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com"] : length([
        for statement in local.key_policy.Statement : statement
        if contains(flatten([try(statement.Principal.Service, [])]), service) && length(setsubtract(["kms:Decrypt", "kms:GenerateDataKey"], statement.Action)) == 0
      ]) == 1
    ])
    error_message = "A service that publishes or delivers cannot use the key: its messages would be lost."
  }
  assert {
    condition = alltrue([
      for policy in concat(values(local.function_policies), values(local.state_machine_policies)) : alltrue([
        for s in policy.Statement : contains(flatten([for k in policy.Statement : k.Action if k.Sid == "UseKey"]), "kms:GenerateDataKey")
        if contains(["Publish", "SendMessages"], s.Sid)
      ])
    ])
    error_message = "Somebody sends to an encrypted queue or topic and cannot encrypt."
  }

  # Operators can mend and no more.

  assert {
    condition = alltrue([
      for action in [
        "states:RedriveExecution", "states:SendTaskSuccess", "states:SendTaskFailure", "states:GetExecutionHistory",
        "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "states:CreateStateMachine",
        "states:DeleteStateMachine", "states:StartExecution", "iam:PassRole", "sqs:ListQueues",
        "sqs:StartMessageMoveTask", "logs:FilterLogEvents", "lambda:ListEventSourceMappings", "cloudwatch:DescribeAlarms",
      ] : contains(flatten([for s in local.operator_policy.Statement : s.Action]), action)
    ])
    error_message = "An operator lacks an action of the runbook."
  }
  assert {
    condition     = alltrue([for arn in one([for s in local.operator_policy.Statement : s.Resource if s.Sid == "MakeAndRemoveForks"]) : endswith(arn, "-fork-*")])
    error_message = "An operator could replace a state machine."
  }
  assert {
    condition     = one([for s in local.operator_policy.Statement : s.Resource if s.Sid == "ForksRunWithTheRoleOfTheirOrigin"]) == ["arn:aws:iam::111122223333:role/restock-states-reorder", "arn:aws:iam::111122223333:role/restock-states-vip"]
    error_message = "An operator could pass other roles."
  }
  assert {
    condition     = alltrue([for s in local.operator_policy.Statement : try(s.Condition.StringEquals["kms:ViaService"], "") == "sqs.eu-central-1.amazonaws.com" if anytrue([for action in s.Action : startswith(action, "kms:")])])
    error_message = "An operator could decrypt more than messages."
  }
  assert {
    condition = alltrue([
      for group in concat([for g in aws_cloudwatch_log_group.function : g.name], [aws_cloudwatch_log_group.api.name]) :
      contains(one([for s in local.operator_policy.Statement : s.Resource if s.Sid == "ReadLogs"]), "arn:aws:logs:eu-central-1:111122223333:log-group:${group}:*")
    ])
    error_message = "An operator cannot read a log that the runbook names."
  }
  assert {
    condition     = alltrue([for arn in one([for s in local.operator_policy.Statement : s.Resource if s.Sid == "ClearDeadLetterQueues"]) : endswith(arn, "_dlq")])
    error_message = "An operator could empty a source queue."
  }
}
