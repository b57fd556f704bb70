# Added to the trial's copy of terraform/; see trial_override.tf.

variable "trial_database_server" {
  description = "URL of the MariaDB that stands in for RDS, without a database."
  type        = string
}
