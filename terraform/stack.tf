# Reads the one list of the stack and gives its ${placeholders} this installation's values, by the names that the
# local stack uses too.

locals {
  workflows = coalesce(var.workflows_dir, "${path.module}/../workflows")
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
    warehouse_url = var.databases == null ? module.database["warehouse"].secret_arn : var.databases.warehouse_url_secret_arn
    customers_url = var.databases == null ? module.database["customers"].secret_arn : var.databases.customers_url_secret_arn
    callback_key  = var.callback_key_secret_arn == null ? aws_secretsmanager_secret_version.callback_key[0].arn : var.callback_key_secret_arn
  }

  # A text of stack.json is cut into pairs of a placeholder's name and what is between placeholders; one of each is null.
  environments = {
    for name, function in local.stack.functions : name => merge([
      for variable, text in try(function.environment, {}) :
      contains(keys(local.secret_arns), join("", flatten(regexall("^\\$\\{([a-z0-9_]+)\\}$", text))))
      ? { "${variable}_SECRET_ARN" = local.secret_arns[flatten(regexall("^\\$\\{([a-z0-9_]+)\\}$", text))[0]] }
      : { (variable) = join("", [
        for piece in regexall("\\$\\{([a-z0-9_]+)\\}|([^$]+|\\$)", text) :
        piece[0] != null ? local.placeholders[piece[0]] : piece[1]
      ]) }
    ]...)
  }

  # In JSON a text that is one placeholder and nothing else becomes a number where its value is one: a numeric filter's
  # "${vip_threshold}" is 100. Here the pieces are such a text, a placeholder inside another text, and the rest.
  filters = {
    for key, subscription in local.subscriptions : key => join("", [
      for piece in regexall("\"\\$\\{([a-z0-9_]+)\\}\"|\\$\\{([a-z0-9_]+)\\}|([^$\"]+|\\$|\")", jsonencode(subscription.filter)) : (
        piece[0] != null
        ? (can(tonumber(local.placeholders[piece[0]])) ? local.placeholders[piece[0]] : jsonencode(local.placeholders[piece[0]]))
        : (piece[1] != null ? local.placeholders[piece[1]] : piece[2])
      )
    ]) if try(subscription.filter, null) != null
  }

  definitions = {
    for name, machine in local.stack.state_machines :
    name => templatefile("${local.workflows}/${machine.definition}", local.placeholders)
  }
}
