# Everything in stack.json arrives on AWS, rendered as the local stack renders it.

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

variables {
  ops_email = "ops@donut-states.example"
}

run "the_stack_arrives" {
  command = plan

  assert {
    condition     = toset([for function in aws_lambda_function.this : function.function_name]) == toset(keys(local.stack.functions))
    error_message = "Functions: ${join(", ", [for function in aws_lambda_function.this : function.function_name])}"
  }
  assert {
    condition     = toset([for queue in local.queues : queue.name]) == toset(keys(local.stack.queues))
    error_message = "Queues: ${join(", ", [for queue in local.queues : queue.name])}"
  }
  assert {
    condition     = toset([for topic in aws_sns_topic.this : topic.name]) == toset(keys(local.stack.topics))
    error_message = "Topics differ from stack.json."
  }
  assert {
    condition     = toset([for machine in aws_sfn_state_machine.this : machine.name]) == toset(keys(local.stack.state_machines))
    error_message = "State machines differ from stack.json."
  }
  assert {
    condition     = length(aws_lambda_event_source_mapping.this) == length(local.stack.event_source_mappings)
    error_message = "Mappings differ from stack.json."
  }
  assert {
    condition     = toset(keys(aws_scheduler_schedule.this)) == toset(keys(local.stack.schedules))
    error_message = "Schedules differ from stack.json."
  }

  # Environments are rendered.

  assert {
    condition = jsonencode(local.environments["sales_api"]) == jsonencode({
      RESTOCK_DATABASE_URL_SECRET_ARN = local.secret_arns["warehouse_url"]
      RESTOCK_STOCK_EMPTY_TOPIC_ARN   = "arn:aws:sns:eu-central-1:111122223333:stock_empty"
      RESTOCK_ORDER_PLACED_TOPIC_ARN  = "arn:aws:sns:eu-central-1:111122223333:order_placed"
      RESTOCK_VIP_MODE                = "order"
    })
    error_message = "sales_api: ${jsonencode(local.environments["sales_api"])}"
  }
  assert {
    condition = jsonencode(local.environments["request_factory"]) == jsonencode({
      RESTOCK_DATABASE_URL_SECRET_ARN = local.secret_arns["warehouse_url"]
      RESTOCK_FACTORY_URL             = "https://factory.example"
      RESTOCK_CALLBACK_URL            = "https://api123.execute-api.eu-central-1.amazonaws.com"
      RESTOCK_CALLBACK_KEY_SECRET_ARN = local.secret_arns["callback_key"]
    })
    error_message = "request_factory: ${jsonencode(local.environments["request_factory"])}"
  }
  assert {
    condition = alltrue(flatten([
      for name, environment in local.environments : [
        for variable, _ in try(local.stack.functions[name].environment, {}) :
        contains(keys(environment), variable) || contains(keys(environment), "${variable}_SECRET_ARN")
      ]
    ]))
    error_message = "A variable of stack.json is missing."
  }
  assert {
    condition     = alltrue(flatten([for environment in values(local.environments) : [for value in values(environment) : !strcontains(value, "$${")]]))
    error_message = "A placeholder was not replaced."
  }

  # Definitions are rendered.

  assert {
    condition     = alltrue([for definition in values(local.definitions) : can(jsondecode(definition)) && length(regexall("\\$\\{", definition)) == 0])
    error_message = "A definition is not JSON, or a placeholder was not replaced."
  }
  assert {
    condition     = jsondecode(aws_sfn_state_machine.this["reorder"].definition).States.CheckStock.Arguments.FunctionName == "arn:aws:lambda:eu-central-1:111122223333:function:check_stock:live"
    error_message = "Functions are not invoked by their alias."
  }
  assert {
    condition     = strcontains(aws_sfn_state_machine.this["reorder"].definition, "{% 86400 %}")
    error_message = "The callback's time-out is not in the definition."
  }

  # Alerts have the words of the local rule.

  assert {
    condition     = alltrue([for line in split("\n", one(aws_cloudwatch_event_target.this["execution_ended_badly"].input_transformer).input_template) : startswith(line, "\"") && endswith(line, "\"")])
    error_message = "EventBridge wants each line in quotes."
  }
  assert {
    condition     = one(aws_cloudwatch_event_target.this["execution_ended_badly"].input_transformer).input_template == join("\n", [for line in local.stack.rules["execution_ended_badly"].message : "\"${line}\""])
    error_message = "The template is not the lines of stack.json, each in quotes and nothing else."
  }
  assert {
    condition     = strcontains(one(aws_cloudwatch_event_target.this["execution_ended_badly"].input_transformer).input_template, "ended <status>")
    error_message = "EventBridge finds its values by <name>, with no escapes."
  }
  assert {
    condition = alltrue([
      for name in flatten(regexall("<([a-z_]+)>", join(" ", local.stack.rules["execution_ended_badly"].message))) :
      contains(keys(one(aws_cloudwatch_event_target.this["execution_ended_badly"].input_transformer).input_paths), name)
    ])
    error_message = "A line names a value that has no path."
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this["execution_ended_badly"].event_pattern).detail.status == ["FAILED", "TIMED_OUT", "ABORTED"]
    error_message = "The rule does not listen for every bad end."
  }
}

run "another_installation" {
  command = plan

  variables {
    prefix        = "test_"
    vip_threshold = 7
    ops_email     = null
  }

  assert {
    condition = alltrue(concat(
      [for function in aws_lambda_function.this : startswith(function.function_name, "test_")],
      [for queue in local.queues : startswith(queue.name, "test_")],
      [for topic in aws_sns_topic.this : startswith(topic.name, "test_")],
      [for machine in aws_sfn_state_machine.this : startswith(machine.name, "test_")],
      [for schedule in aws_scheduler_schedule.this : startswith(schedule.name, "test_")],
    ))
    error_message = "A name lacks the prefix."
  }
  assert {
    condition     = aws_lambda_function.this["start_vip"].environment[0].variables.RESTOCK_VIP_STATE_MACHINE_ARN == "arn:aws:states:eu-central-1:111122223333:stateMachine:test_vip:live"
    error_message = "The environment does not follow the prefix."
  }
  assert {
    condition     = aws_lambda_function.this["sales_api"].handler == "sales_api"
    error_message = "The handler names the task, which has no prefix."
  }

  # Without an address nobody is subscribed.

  assert {
    condition     = alltrue([for subscription in aws_sns_topic_subscription.this : subscription.protocol == "sqs"])
    error_message = "There is a subscription without an address."
  }

  # The numeric filter compares with a number.

  assert {
    condition     = aws_sns_topic_subscription.this["order_placed-vip_queue"].filter_policy == "{\"vip_quantity\":[{\"numeric\":[\"\\u003e=\",7]}]}"
    error_message = aws_sns_topic_subscription.this["order_placed-vip_queue"].filter_policy
  }
  assert {
    condition     = local.environments["upgrade_tier"].RESTOCK_VIP_THRESHOLD == "7"
    error_message = "In an environment it is a text."
  }
}
