# One MySQL database on RDS, and the secret with its URL.

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_161:the functions log in with a password from Secrets Manager; the database driver cannot sign IAM tokens
  #checkov:skip=CKV_AWS_293:deletion protection is a variable, true by default
  #checkov:skip=CKV_AWS_157:a standby is a variable, true by default
  #checkov:skip=CKV_AWS_118:enhanced monitoring needs another role; CloudWatch's numbers and the slow query log suffice here
  #checkov:skip=CKV_AWS_353:Performance Insights is not offered on the default instance class
  #checkov:skip=CKV2_AWS_60:tags are copied to snapshots, see copy_tags_to_snapshot
  #checkov:skip=CKV2_AWS_69:encrypted connections are required by the parameter group that is passed in, see databases.tf
  identifier     = "${var.installation}-${var.name}"
  engine         = "mysql"
  engine_version = var.engine_version
  instance_class = var.instance_class
  db_name        = var.name
  username       = "restock"

  password_wo         = var.password
  password_wo_version = var.password_version

  storage_type          = "gp3"
  allocated_storage     = var.storage_gb
  max_allocated_storage = var.storage_gb * 5
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_subnet_group_name   = var.subnet_group
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  multi_az               = var.multi_az
  parameter_group_name   = var.parameter_group

  backup_retention_period    = var.backup_days
  copy_tags_to_snapshot      = true
  deletion_protection        = var.deletion_protection
  skip_final_snapshot        = !var.deletion_protection
  final_snapshot_identifier  = "${var.installation}-${var.name}-last"
  auto_minor_version_upgrade = true

  enabled_cloudwatch_logs_exports = ["error", "slowquery"]
}

resource "aws_secretsmanager_secret" "url" {
  #checkov:skip=CKV2_AWS_57:rotated by raising database_password_version, which changes database and secret in one apply
  name                    = "${var.installation}/${var.name}-url"
  description             = "URL of the ${var.name} database, with its password"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "url" {
  secret_id = aws_secretsmanager_secret.url.id
  secret_string_wo = join("", [
    "mysql://",
    aws_db_instance.this.username,
    ":",
    var.password,
    "@",
    aws_db_instance.this.endpoint,
    "/",
    aws_db_instance.this.db_name,
    "?ssl-mode=REQUIRED",
  ])
  secret_string_wo_version = var.password_version
}

output "secret_arn" {
  description = "The secret with the URL; known when the URL is in it."
  value       = aws_secretsmanager_secret_version.url.arn
}

output "identifier" {
  description = "The instance's name, for its metrics."
  value       = aws_db_instance.this.identifier
}
