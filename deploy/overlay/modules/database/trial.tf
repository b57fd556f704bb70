variable "trial_server" {
  description = "URL of the server that stands in for RDS."
  type        = string
}
