# What is watched, kept, limited and versioned.

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

run "operations" {
  command = plan

  # Alarms: every dead-letter queue, every bad end, every function, what waits.
  assert {
    condition     = alltrue([for name, _ in local.stack.queues : contains(keys(aws_cloudwatch_metric_alarm.this), "${name}-depth") if endswith(name, "_dlq")])
    error_message = "A dead-letter queue has no alarm."
  }
  assert {
    condition = alltrue([
      for machine, _ in local.stack.state_machines : alltrue([
        for metric in ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"] : contains(
          [for alarm in aws_cloudwatch_metric_alarm.this : alarm.metric_name if try(alarm.dimensions.StateMachineArn, "") == local.state_machine_arns[machine]],
          metric,
        )
      ])
    ])
    error_message = "A state machine's bad ends have no alarm."
  }
  assert {
    condition     = alltrue([for name, _ in local.stack.functions : contains(keys(aws_cloudwatch_metric_alarm.this), "${name}-errors") && contains(keys(aws_cloudwatch_metric_alarm.this), "${name}-throttles")])
    error_message = "A function has no alarm."
  }
  assert {
    condition     = alltrue([for name, queue in local.stack.queues : contains(keys(aws_cloudwatch_metric_alarm.this), "${name}-age") if try(queue.parks, null) != null || try(queue.dead_letter_queue, null) != null])
    error_message = "Nobody hears of what waits for long."
  }
  assert {
    condition     = alltrue([for name in ["waiting-age", "outbox-age", "sweep-silent", "api-5xx", "execution_ended_badly-undelivered", "ops_alerts-undelivered"] : contains(keys(aws_cloudwatch_metric_alarm.this), name)])
    error_message = "An alarm is missing."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["sweep-silent"].treat_missing_data == "breaching"
    error_message = "A sweep that does not run writes no numbers: their absence must ring."
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_actions) == 1])
    error_message = "An alarm tells nobody."
  }
  assert {
    condition = alltrue([
      for alarm in values(local.alarms) : strcontains(file("${path.module}/../docs/runbook.md"), "<a id=\"${alarm.runbook}\"></a>")
    ])
    error_message = "The runbook lacks a section: ${join(", ", distinct([for alarm in values(local.alarms) : alarm.runbook if !strcontains(file("${path.module}/../docs/runbook.md"), "<a id=\"${alarm.runbook}\"></a>")]))}"
  }

  # Logs are kept for as long as said, encrypted, and under the prefix for vended logs where AWS writes them.
  assert {
    condition = alltrue([
      for group in concat(values(aws_cloudwatch_log_group.function), values(aws_cloudwatch_log_group.state_machine), [aws_cloudwatch_log_group.api]) :
      group.retention_in_days == 365 && group.kms_key_id == aws_kms_key.this.arn
    ])
    error_message = "A log group is kept for ever or not encrypted."
  }
  assert {
    condition     = alltrue([for group in concat(values(aws_cloudwatch_log_group.state_machine), [aws_cloudwatch_log_group.api]) : startswith(group.name, "/aws/vendedlogs/")])
    error_message = "A vended log lies elsewhere."
  }

  # Queues.
  assert {
    condition = alltrue([
      for mapping in local.stack.event_source_mappings :
      local.queues[mapping.queue].visibility_timeout_seconds >= 6 * local.stack.functions[mapping.function].timeout
    ])
    error_message = "A queue shows messages again too soon."
  }
  assert {
    condition     = alltrue([for name, queue in local.queues : queue.message_retention_seconds == local.stack.queues[name].retention_days * 86400 && queue.kms_master_key_id == aws_kms_key.this.arn])
    error_message = "A queue forgets at another time than stack.json says, or is not encrypted."
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.source : jsondecode(queue.redrive_policy).maxReceiveCount >= 5])
    error_message = "A queue gives up too early."
  }
  assert {
    condition     = alltrue([for key, subscription in local.subscriptions : aws_sns_topic_subscription.this[key].redrive_policy != null if try(subscription.queue, null) != null])
    error_message = "What a topic cannot deliver is lost."
  }

  # Mappings and schedules.
  assert {
    condition = alltrue([
      for mapping in aws_lambda_event_source_mapping.this :
      mapping.function_response_types == toset(["ReportBatchItemFailures"]) && mapping.scaling_config[0].maximum_concurrency == 2
    ])
    error_message = "A mapping repeats whole batches, or has no maximum concurrency."
  }
  assert {
    condition     = aws_scheduler_schedule.this["relay_outbox"].schedule_expression == "rate(1 minute)" && aws_scheduler_schedule.this["sweep_arrivals"].target[0].input == "{\"sweep\":true}"
    error_message = "A schedule differs from stack.json."
  }

  # Functions: their program, their network, their alias.
  assert {
    condition = alltrue([
      for function in aws_lambda_function.this : function.runtime == "provided.al2023" && function.publish && function.tracing_config[0].mode == "Active" &&
      function.architectures == tolist(["x86_64"])
    ])
    error_message = "A function is not built, versioned or traced as it should be."
  }
  assert {
    condition     = alltrue([for name, function in aws_lambda_function.this : function.timeout == local.stack.functions[name].timeout && function.memory_size == local.stack.functions[name].memory && function.reserved_concurrent_executions == local.stack.functions[name].concurrency])
    error_message = "A function has other limits than stack.json says."
  }
  assert {
    condition     = sort([for name, function in aws_lambda_function.this : name if length(function.vpc_config) == 0]) == tolist(["start_vip", "sync_marketing"])
    error_message = "Functions with a database are in the VPC, the others are not."
  }
  assert {
    condition     = alltrue([for alias in aws_lambda_alias.live : alias.name == "live" && alias.function_version == "7"])
    error_message = "An alias does not point to the version that was just published."
  }
  assert {
    condition     = alltrue([for alias in aws_sfn_alias.live : alias.name == "live" && endswith(alias.routing_configuration[0].state_machine_version_arn, ":7")])
    error_message = "A state machine's alias does not point to the version that was just published."
  }
  assert {
    condition     = alltrue([for machine in aws_sfn_state_machine.this : machine.publish && machine.tracing_configuration[0].enabled && machine.logging_configuration[0].level == "ERROR"])
    error_message = "A state machine is not versioned, traced or logged."
  }

  # The HTTP API.
  assert {
    condition     = jsonencode(local.routes) == jsonencode({ "$default" = "sales_api", "POST /factory/callbacks/{attempt}" = "factory_callback" })
    error_message = "Routes: ${jsonencode(local.routes)}"
  }
  assert {
    condition     = aws_apigatewayv2_stage.default.default_route_settings[0].throttling_rate_limit == 500 && aws_apigatewayv2_stage.default.default_route_settings[0].throttling_burst_limit == 1000
    error_message = "The API has no limits."
  }
  assert {
    condition     = !strcontains(aws_apigatewayv2_stage.default.access_log_settings[0].format, "query") && strcontains(aws_apigatewayv2_stage.default.access_log_settings[0].format, "$context.status")
    error_message = "The access log shows signatures of callbacks, or lacks the status."
  }

  # Mail.
  assert {
    condition     = length(aws_sesv2_email_identity.sandbox_recipient) == 0 && aws_sesv2_email_identity.this.email_identity == "donut-states.example" && aws_sesv2_email_identity.this.configuration_set_name == "restock" && aws_sesv2_configuration_set.this.delivery_options[0].tls_policy == "REQUIRE"
    error_message = "Mail is sent as somebody else, or unencrypted."
  }
}

run "another_network_and_rollback" {
  command = plan

  variables {
    databases = {
      warehouse_url_secret_arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:warehouse-url-AbCdEf"
      customers_url_secret_arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:customers-url-AbCdEf"
      security_group_id        = "sg-0123456789abcdef0"
      port                     = 3307
    }
    sandbox_recipients          = ["manager@elsewhere.example"]
    architecture                = "arm64"
    reserve_concurrency         = false
    live_versions               = { sales_api = "3" }
    live_state_machine_versions = { reorder = "2" }
    network                     = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
    callback_url                = "https://shop.example"
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.architectures == tolist(["arm64"]) && function.reserved_concurrent_executions == -1])
    error_message = "The architecture or the concurrency does not follow its variable."
  }
  assert {
    condition     = aws_lambda_alias.live["sales_api"].function_version == "3" && aws_lambda_alias.live["check_stock"].function_version == "7"
    error_message = "A rollback moves another function, or not its own."
  }
  assert {
    condition     = endswith(aws_sfn_alias.live["reorder"].routing_configuration[0].state_machine_version_arn, ":2") && endswith(aws_sfn_alias.live["vip"].routing_configuration[0].state_machine_version_arn, ":7")
    error_message = "A rollback moves another state machine, or not its own."
  }
  assert {
    condition     = length(aws_vpc.this) == 0 && length(aws_nat_gateway.this) == 0 && aws_lambda_function.this["sales_api"].vpc_config[0].subnet_ids == toset(["subnet-1", "subnet-2"])
    error_message = "A network of one's own is not used."
  }
  assert {
    condition     = local.environments["request_factory"].RESTOCK_CALLBACK_URL == "https://shop.example"
    error_message = "The factory is given another address."
  }

  # Databases of one's own let the functions in before the first migration.
  assert {
    condition     = one(aws_vpc_security_group_ingress_rule.databases).security_group_id == "sg-0123456789abcdef0" && one(aws_vpc_security_group_ingress_rule.databases).from_port == 3307
    error_message = "The databases do not let the functions in."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.functions_to_databases.referenced_security_group_id == "sg-0123456789abcdef0" && aws_vpc_security_group_egress_rule.functions_to_databases.cidr_ipv4 == null && aws_vpc_security_group_egress_rule.functions_to_databases.to_port == 3307
    error_message = "The functions may not connect to the databases, or to more than these."
  }

  # In SES's sandbox a recipient is an identity, too.
  assert {
    condition     = keys(aws_sesv2_email_identity.sandbox_recipient) == ["manager@elsewhere.example"]
    error_message = "A recipient is not asked to confirm."
  }
  assert {
    condition     = contains(one([for s in local.function_policies["email_ads"].Statement : s.Resource if s.Sid == "SendMail"]), "arn:aws:ses:eu-central-1:111122223333:identity/manager@elsewhere.example")
    error_message = "email_ads may not send to a recipient in the sandbox."
  }
}
