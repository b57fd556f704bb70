# SNS topics, who may publish to them, and what they feed.

resource "aws_sns_topic" "this" {
  for_each = local.stack.topics

  name              = "${var.prefix}${each.key}"
  display_name      = each.value.description
  kms_master_key_id = aws_kms_key.this.arn
}

locals {
  # Topics that a rule reports to; alarms ring there too.
  alert_topics = toset([for rule in values(local.stack.rules) : rule.topic])

  topic_policies = {
    for name, arn in local.topic_arns : name => {
      Version = "2012-10-17"
      Statement = concat(
        [{
          Sid       = "OnlyEncrypted"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sns:Publish"
          Resource  = arn
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        }],
        [for statement in [
          {
            Sid       = "Rules"
            Effect    = "Allow"
            Principal = { Service = "events.amazonaws.com" }
            Action    = "sns:Publish"
            Resource  = arn
            # No condition: a topic's policy for EventBridge may have none (EventBridge user guide, "Amazon SNS
            # permissions"), and with one the rule's alerts are dropped, which nothing but FailedInvocations would show.
          },
          {
            Sid       = "Alarms"
            Effect    = "Allow"
            Principal = { Service = "cloudwatch.amazonaws.com" }
            Action    = "sns:Publish"
            Resource  = arn
            Condition = {
              StringEquals = { "aws:SourceAccount" = local.account }
              ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:cloudwatch:${local.here}:alarm:${var.name}-*" }
            }
          },
        ] : statement if contains(local.alert_topics, name)],
      )
    }
  }

  # Keyed by what they connect. An address that renders to nothing means no such subscription.
  subscriptions = {
    for subscription in local.stack.subscriptions :
    "${subscription.topic}-${try(subscription.queue, "mail")}" => subscription
    if try(subscription.queue, null) != null || var.ops_email != null
  }
}

resource "aws_sns_topic_policy" "this" {
  for_each = aws_sns_topic.this

  arn    = each.value.arn
  policy = jsonencode(local.topic_policies[each.key])
}

resource "aws_sns_topic_subscription" "this" {
  for_each = local.subscriptions

  topic_arn     = aws_sns_topic.this[each.value.topic].arn
  protocol      = try(each.value.queue, null) != null ? "sqs" : "email"
  endpoint      = try(local.queues[each.value.queue].arn, local.placeholders["ops_email"])
  filter_policy = try(local.filters[each.key], null)
  redrive_policy = try(each.value.dead_letter_queue, null) == null ? null : jsonencode({
    deadLetterTargetArn = local.queues[each.value.dead_letter_queue].arn
  })

  # A message that comes before the queue lets SNS in would go straight to the dead-letter queue.
  depends_on = [aws_sqs_queue_policy.this]
}
