# Secrets. Their texts are made here, by ephemeral resources and write-only arguments: they are in no plan and no state.

locals {
  made_databases = toset(var.databases == null ? ["warehouse", "customers"] : [])
}

# The key of the callback signatures: 64 hexadecimal digits.
ephemeral "aws_secretsmanager_random_password" "callback_key" {
  password_length            = 64
  exclude_uppercase          = true
  exclude_punctuation        = true
  exclude_characters         = "ghijklmnopqrstuvwxyz"
  require_each_included_type = true
}

resource "aws_secretsmanager_secret" "callback_key" {
  #checkov:skip=CKV2_AWS_57:a new key makes every callback URL that the factory holds invalid: it is changed by hand, see docs/runbook.md
  name                    = "${var.name}/callback-key"
  description             = "Signs the callback URLs given to the factory. Hexadecimal"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "callback_key" {
  secret_id                = aws_secretsmanager_secret.callback_key.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.callback_key.random_password
  secret_string_wo_version = 1
}

# In a URL only these need no escaping.
ephemeral "aws_secretsmanager_random_password" "database" {
  for_each = local.made_databases

  password_length            = 40
  exclude_punctuation        = true
  require_each_included_type = true
}

resource "aws_secretsmanager_secret" "database" {
  #checkov:skip=CKV2_AWS_57:rotated by raising database_password_version, which changes database and secret in one apply
  for_each = local.made_databases

  name                    = "${var.name}/${each.key}-url"
  description             = "URL of the ${each.key} database, with its password"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "database" {
  for_each = aws_secretsmanager_secret.database

  secret_id = each.value.id
  secret_string_wo = format("mysql://%s:%s@%s/%s?ssl-mode=REQUIRED",
    aws_db_instance.this[each.key].username,
    ephemeral.aws_secretsmanager_random_password.database[each.key].random_password,
    aws_db_instance.this[each.key].endpoint,
    aws_db_instance.this[each.key].db_name,
  )
  secret_string_wo_version = var.database_password_version
}
