# Laid over the trial's copy of terraform/ (deploy/trial), never over a deployment: what the foreign endpoint needs
# otherwise. Each deviation with its reason.

# RDS is only a row in that endpoint's memory: no server listens at the address it gives. The trial writes the URL of its
# MariaDB in here; a module's variable could not be given from above, as an override adds no argument to a module.
resource "aws_secretsmanager_secret_version" "url" {
  secret_string_wo = "TRIAL_DATABASE_SERVER/${var.name}"
}
