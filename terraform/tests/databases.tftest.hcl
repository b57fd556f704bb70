# A database that we make.

mock_provider "aws" {
  mock_resource "aws_db_instance" {
    override_during = plan
    defaults        = { endpoint = "some-database.rds.amazonaws.com:3306" }
  }
}

run "a_database" {
  command = plan

  module {
    source = "./modules/database"
  }

  variables {
    installation        = "restock"
    name                = "warehouse"
    password            = "Secret1"
    password_version    = 1
    engine_version      = "8.4"
    instance_class      = "db.t4g.micro"
    storage_gb          = 20
    multi_az            = true
    backup_days         = 14
    deletion_protection = true
    kms_key_arn         = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    subnet_group        = "restock"
    security_group_id   = "sg-1"
    parameter_group     = "restock-mysql84"
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible && aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.multi_az
    error_message = "The database is not protected."
  }
  assert {
    condition     = aws_db_instance.this.identifier == "restock-warehouse" && aws_db_instance.this.db_name == "warehouse" && aws_db_instance.this.max_allocated_storage == 100
    error_message = "The database is named otherwise, or does not grow."
  }
  assert {
    condition     = aws_db_instance.this.password == null && aws_secretsmanager_secret_version.url.secret_string == null
    error_message = "The password is in the state."
  }
  assert {
    condition     = aws_db_instance.this.password_wo_version == aws_secretsmanager_secret_version.url.secret_string_wo_version
    error_message = "Database and secret could get different passwords."
  }
  assert {
    condition     = aws_secretsmanager_secret.url.recovery_window_in_days == 30
    error_message = "A deleted secret cannot be had back."
  }
}
