# The Lambda functions of stack.json: one program, whose handler names the task.

locals {
  package_dir = coalesce(var.package_dir, "${path.module}/../target/lambda/${var.architecture}")
  packages    = { for name, _ in local.stack.functions : name => "${local.package_dir}/${name}.zip" }

  secrets_version = "${var.database_password_version}.${var.callback_key_version}.${var.secrets_version}"

  # Functions that use a database live in the VPC; the others need no network of ours.
  in_vpc = toset([
    for name, function in local.stack.functions : name
    if length(setintersection(values(try(function.environment, {})), ["$${warehouse_url}", "$${customers_url}"])) > 0
  ])

  # What the event-source mappings of a function may run at once.
  mapped_concurrency = {
    for name, _ in local.stack.functions : name => sum(concat([0], [
      for mapping in local.stack.event_source_mappings : mapping.maximum_concurrency if mapping.function == name
    ]))
  }
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.stack.functions

  name              = "/aws/lambda/${var.prefix}${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:asynchronous invocations come from schedules alone, and the next one follows within minutes; the alarm on errors rings
  #checkov:skip=CKV_AWS_117:the functions without a VPC use no database: they need nothing that is in it
  #checkov:skip=CKV_AWS_272:the zips come from the machine that applies; signing them with a key of the same machine proves nothing
  for_each = local.stack.functions

  function_name    = "${var.prefix}${each.key}"
  description      = "${var.name}: ${each.key}"
  role             = aws_iam_role.function[each.key].arn
  runtime          = "provided.al2023"
  architectures    = [var.architecture]
  handler          = each.key
  filename         = local.packages[each.key]
  source_code_hash = try(filebase64sha256(local.packages[each.key]), null)
  timeout          = each.value.timeout
  memory_size      = each.value.memory
  publish          = true
  kms_key_arn      = aws_kms_key.this.arn

  reserved_concurrent_executions = var.reserve_concurrency ? each.value.concurrency : -1

  environment {
    variables = merge(
      local.environments[each.key],
      { RUST_LOG = var.log_level },
      # A process reads its secrets once: new texts need new processes.
      length(local.function_uses[each.key].secrets) > 0 ? { RESTOCK_SECRETS_VERSION = local.secrets_version } : {},
    )
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "Text" # the lines are JSON already, and metrics among them must stay as they are
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  dynamic "vpc_config" {
    for_each = contains(local.in_vpc, each.key) ? [local.network] : []
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = [aws_security_group.functions.id]
    }
  }

  lifecycle {
    precondition {
      condition     = fileexists(local.packages[each.key])
      error_message = "There is no ${local.packages[each.key]}: run `cargo xtask package --arch ${var.architecture}` first, or set package_dir."
    }
    precondition {
      condition     = local.mapped_concurrency[each.key] <= each.value.concurrency
      error_message = "${each.key} has a concurrency of ${each.value.concurrency}, but its mappings may run ${local.mapped_concurrency[each.key]} at once: the rest would be throttled, and throttled messages end in the dead-letter queue."
    }
  }

  # Without its policy a function cannot enter the VPC.
  depends_on = [aws_iam_role_policy.function]
}

# Before any new code gets traffic, the schemas are brought to its version. Runs once per program.
resource "aws_lambda_invocation" "migrate" {
  function_name = aws_lambda_function.this["migrate"].function_name
  qualifier     = aws_lambda_function.this["migrate"].version
  input = jsonencode({
    seed    = var.seed_samples
    version = aws_lambda_function.this["migrate"].source_code_hash
  })

  depends_on = [
    aws_vpc_security_group_egress_rule.functions,
    aws_vpc_security_group_egress_rule.functions_to_databases,
    aws_vpc_security_group_ingress_rule.databases,
    aws_route.private,
    aws_route_table_association.private,
    aws_route.public,
    aws_route_table_association.public,
  ]
}

resource "aws_lambda_alias" "live" {
  for_each = aws_lambda_function.this

  name             = local.alias
  description      = "What gets traffic"
  function_name    = each.value.function_name
  function_version = lookup(var.live_versions, each.key, each.value.version)

  depends_on = [aws_lambda_invocation.migrate]
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = { for mapping in local.stack.event_source_mappings : "${mapping.queue}-${mapping.function}" => mapping }

  event_source_arn        = local.queues[each.value.queue].arn
  function_name           = aws_lambda_alias.live[each.value.function].arn
  batch_size              = each.value.batch_size
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = each.value.maximum_concurrency
  }

  lifecycle {
    precondition {
      condition     = try(local.stack.queues[each.value.queue].visibility_timeout, 30) >= 6 * local.stack.functions[each.value.function].timeout
      error_message = "Queue ${each.value.queue} must hide a message for at least 6 times the timeout of ${each.value.function} (${6 * local.stack.functions[each.value.function].timeout} s)."
    }
  }
}
