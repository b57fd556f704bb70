# Reads the one list of the stack and gives its ${placeholders} this installation's values, by the names that the
# local stack uses too.

locals {
  workflows = "${path.module}/../workflows"
  stack     = jsondecode(file("${local.workflows}/stack.json"))

  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # ARNs follow from names. Functions need the ARNs of state machines and state machines those of functions: taken from
  # the resources they would be a circle.
  here = "${var.region}:${local.account}"
  topic_arns = {
    for name, _ in local.stack.topics : name => "arn:${local.partition}:sns:${local.here}:${var.prefix}${name}"
  }
  queue_arns = {
    for name, _ in local.stack.queues : name => "arn:${local.partition}:sqs:${local.here}:${var.prefix}${name}"
  }
  function_arns = {
    for name, _ in local.stack.functions : name => "arn:${local.partition}:lambda:${local.here}:function:${var.prefix}${name}"
  }
  state_machine_arns = {
    for name, _ in local.stack.state_machines : name => "arn:${local.partition}:states:${local.here}:stateMachine:${var.prefix}${name}"
  }

  # Both are started and invoked by their alias, so that a deploy moves them at one moment.
  alias = "live"

  placeholders = merge(
    { for name, arn in local.function_arns : "function_arn_${name}" => "${arn}:${local.alias}" },
    { for name, arn in local.state_machine_arns : "state_machine_arn_${name}" => "${arn}:${local.alias}" },
    { for name, arn in local.topic_arns : "topic_arn_${name}" => arn },
    { for name, arn in local.queue_arns : "queue_arn_${name}" => arn },
    { for name, queue in local.queues : "queue_url_${name}" => queue.url },
    {
      factory_url              = var.factory_url
      marketing_url            = var.marketing_url
      callback_url             = coalesce(var.callback_url, aws_apigatewayv2_api.sales.api_endpoint)
      callback_timeout_seconds = tostring(var.callback_timeout_seconds)
      mail_from                = var.mail_from
      ops_email                = var.ops_email == null ? "" : var.ops_email
      vip_threshold            = tostring(var.vip_threshold)
      vip_mode                 = var.vip_mode
    },
  )

  # Placeholders that are secrets. No environment and no definition gets their values: a variable that is one of them
  # becomes <VARIABLE>_SECRET_ARN, and the function reads the secret.
  secret_arns = {
    warehouse_url = var.databases == null ? aws_secretsmanager_secret.database["warehouse"].arn : var.databases.warehouse_url_secret_arn
    customers_url = var.databases == null ? aws_secretsmanager_secret.database["customers"].arn : var.databases.customers_url_secret_arn
    callback_key  = aws_secretsmanager_secret.callback_key.arn
  }

  # A text of stack.json cut into its placeholders and what is between them: "a${b}" is ["a", "${b}"].
  environments = {
    for name, function in local.stack.functions : name => merge([
      for variable, text in try(function.environment, {}) :
      contains(keys(local.secret_arns), trimsuffix(trimprefix(text, "$${"), "}"))
      ? { "${variable}_SECRET_ARN" = local.secret_arns[trimsuffix(trimprefix(text, "$${"), "}")] }
      : {
        (variable) = join("", [
          for part in regexall("\\$\\{[a-z0-9_]+\\}|[^$]+|\\$", text) :
          startswith(part, "$${") ? local.placeholders[substr(part, 2, length(part) - 3)] : part
        ])
      }
    ]...)
  }

  # In JSON a text that is one placeholder and nothing else becomes a number where its value is one: a numeric filter's
  # "${vip_threshold}" is 100.
  filters = {
    for key, subscription in local.subscriptions : key => join("", [
      for part in regexall("\"\\$\\{[a-z0-9_]+\\}\"|\\$\\{[a-z0-9_]+\\}|[^$\"]+|\\$|\"", jsonencode(subscription.filter)) :
      startswith(part, "\"$${")
      ? (can(tonumber(local.placeholders[substr(part, 3, length(part) - 5)]))
        ? local.placeholders[substr(part, 3, length(part) - 5)]
      : jsonencode(local.placeholders[substr(part, 3, length(part) - 5)]))
      : (startswith(part, "$${") ? local.placeholders[substr(part, 2, length(part) - 3)] : part)
    ]) if try(subscription.filter, null) != null
  }

  definitions = {
    for name, machine in local.stack.state_machines :
    name => templatefile("${local.workflows}/${machine.definition}", local.placeholders)
  }
}
