# EventBridge rules: executions that end badly are told to operations, in the words of the other alerts. EventBridge
# delivers these events as best effort; the alarms on the same numbers do not depend on it.

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.stack.rules

  name        = "${var.prefix}${each.key}"
  description = "${var.name}: executions that ended ${join(", ", each.value.statuses)}"
  event_pattern = jsonencode({
    source        = ["aws.states"]
    "detail-type" = ["Step Functions Execution Status Change"]
    detail = {
      status = each.value.statuses
      stateMachineArn = concat(
        values(local.state_machine_arns),
        [for arn in values(local.state_machine_arns) : { prefix = "${arn}-fork-" }],
      )
    }
  })
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.stack.rules

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = each.value.topic
  arn       = aws_sns_topic.this[each.value.topic].arn

  # Names for parts of the event, and lines with <name> in them. EventBridge takes each line as a text in quotes, sends the
  # quotes along, and puts the parts in as they are, without escapes (user guide, "Input transformation").
  input_transformer {
    input_paths = each.value.paths
    # Not jsonencode, which writes <name> as \u003cname\u003e.
    input_template = join("\n", [for line in each.value.message : "\"${line}\""])
  }
}
