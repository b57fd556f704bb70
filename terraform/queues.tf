# SQS queues. Those with a dead-letter queue are made after the others, which may be one.

locals {
  queues = merge(aws_sqs_queue.last, aws_sqs_queue.source)

  # Queues that a depth alarm watches: what failed for good waits in them.
  dead_letter_queues = {
    for name, queue in local.stack.queues : name => {
      parks   = try(queue.parks, null)
      sources = [for source, of in local.stack.queues : source if try(of.dead_letter_queue, null) == name]
    } if !contains(keys(local.mapped_sources), name)
  }

  # Source queues: what waits in them is work to be done.
  mapped_sources = {
    for name, queue in local.stack.queues : name => queue if try(queue.dead_letter_queue, null) != null
  }

  queue_policies = {
    for name, arn in local.queue_arns : name => {
      Version = "2012-10-17"
      Statement = concat(
        [{
          Sid       = "OnlyEncrypted"
          Effect    = "Deny"
          Principal = "*"
          Action    = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
          Resource  = arn
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        }],
        [for topic in distinct([
          for subscription in local.stack.subscriptions : subscription.topic
          if contains([try(subscription.queue, null), try(subscription.dead_letter_queue, null)], name)
          ]) : {
          Sid       = "Topic${replace(title(replace(topic, "_", " ")), " ", "")}"
          Effect    = "Allow"
          Principal = { Service = "sns.amazonaws.com" }
          Action    = "sqs:SendMessage"
          Resource  = arn
          Condition = { ArnEquals = { "aws:SourceArn" = local.topic_arns[topic] } }
        }],
      )
    }
  }
}

resource "aws_sqs_queue" "last" {
  for_each = { for name, queue in local.stack.queues : name => queue if try(queue.dead_letter_queue, null) == null }

  name                       = "${var.prefix}${each.key}"
  message_retention_seconds  = each.value.retention_days * 86400
  visibility_timeout_seconds = try(each.value.visibility_timeout, 30)
  kms_master_key_id          = aws_kms_key.this.arn
}

resource "aws_sqs_queue" "source" {
  for_each = local.mapped_sources

  name                       = "${var.prefix}${each.key}"
  message_retention_seconds  = each.value.retention_days * 86400
  visibility_timeout_seconds = try(each.value.visibility_timeout, 30)
  receive_wait_time_seconds  = 20
  kms_master_key_id          = aws_kms_key.this.arn
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.last[each.value.dead_letter_queue].arn
    maxReceiveCount     = each.value.max_receive_count
  })

  lifecycle {
    precondition {
      condition     = each.value.retention_days < local.stack.queues[each.value.dead_letter_queue].retention_days
      error_message = "${each.key} must forget messages earlier than its dead-letter queue, which keeps the time of the first sending."
    }
    precondition {
      condition     = each.value.max_receive_count >= 5
      error_message = "${each.key} must allow at least 5 receives: throttled functions count as receives too."
    }
  }
}

# Nobody else's queue may send its leftovers into ours.
resource "aws_sqs_queue_redrive_allow_policy" "this" {
  for_each = { for name, queue in local.dead_letter_queues : name => queue.sources if length(queue.sources) > 0 }

  queue_url = aws_sqs_queue.last[each.key].id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [for source in each.value : local.queue_arns[source]]
  })
}

resource "aws_sqs_queue_policy" "this" {
  for_each = local.queue_policies

  queue_url = local.queues[each.key].id
  policy    = jsonencode(each.value)
}
