# Described where an installation sets them, in the root's variables.tf.

variable "installation" {
  description = "Name of the installation."
  type        = string
}

variable "name" {
  description = "Name of the database: warehouse or customers."
  type        = string
}

variable "password" {
  description = "Letters and digits only, because it becomes part of a URL. In no plan and no state."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "password_version" {
  description = "Only when this changes is the password written."
  type        = number
}

variable "engine_version" {
  description = "MySQL version."
  type        = string
}

variable "instance_class" {
  description = "RDS class."
  type        = string
}

variable "storage_gb" {
  description = "GiB at first."
  type        = number
}

variable "multi_az" {
  description = "A standby in another zone."
  type        = bool
}

variable "backup_days" {
  description = "Days of backups."
  type        = number
}

variable "deletion_protection" {
  description = "Refuse to delete it, and take a last snapshot."
  type        = bool
}

variable "kms_key_arn" {
  description = "Encrypts storage and secret."
  type        = string
}

variable "subnet_group" {
  description = "Subnet group it lives in."
  type        = string
}

variable "security_group_id" {
  description = "Decides who may connect."
  type        = string
}

variable "parameter_group" {
  description = "Server settings; must require encrypted connections."
  type        = string
}
