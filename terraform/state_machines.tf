# The state machines. Each deploy that changes a definition publishes a version; the alias `live` moves to it. What runs
# keeps its version.

resource "aws_cloudwatch_log_group" "state_machine" {
  for_each = local.stack.state_machines

  # Under /aws/vendedlogs/, or the log service's resource policy outgrows its limit.
  name              = "/aws/vendedlogs/states/${var.name}/${var.prefix}${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_sfn_state_machine" "this" {
  for_each = local.stack.state_machines

  name       = "${var.prefix}${each.key}"
  role_arn   = aws_iam_role.state_machine[each.key].arn
  definition = local.definitions[each.key]
  publish    = true

  logging_configuration {
    log_destination        = "${aws_cloudwatch_log_group.state_machine[each.key].arn}:*"
    include_execution_data = true
    level                  = var.execution_log_level
  }

  tracing_configuration {
    enabled = true
  }

  # A definition must not meet functions older than itself.
  depends_on = [aws_iam_role_policy.state_machine, aws_lambda_alias.live]
}

resource "aws_sfn_alias" "live" {
  for_each = aws_sfn_state_machine.this

  name        = local.alias
  description = "What new executions run"

  routing_configuration {
    state_machine_version_arn = (
      contains(keys(var.live_state_machine_versions), each.key)
      ? "${each.value.arn}:${var.live_state_machine_versions[each.key]}"
      : each.value.state_machine_version_arn
    )
    weight = 100
  }
}
