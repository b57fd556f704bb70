"""The endpoint as any SDK sees it: what runs there, and what is left there."""

import re

import boto3

REGION = "us-east-1"


class Endpoint:
    def __init__(self, url):
        self._url = url
        self.states = self.client("stepfunctions")

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self._url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def executions(self, machine):
        found = self.states.list_executions(stateMachineArn=machine)["executions"]
        return sorted(found, key=lambda execution: execution["startDate"])

    def definition(self, machine):
        return self.states.describe_state_machine(stateMachineArn=machine)["definition"]

    def live_functions(self, names):
        """The version that each function's alias points to."""
        functions = self.client("lambda")
        return {name: functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in names}

    def newest_functions(self, names):
        """The newest version of each function that was published."""
        pages = self.client("lambda").get_paginator("list_versions_by_function")
        return {
            name: str(max(int(v["Version"]) for page in pages.paginate(FunctionName=name) for v in page["Versions"] if v["Version"] != "$LATEST"))
            for name in names
        }

    def live_machines(self, aliases):
        """The version that each state machine's alias points to, by the aliases' ARNs."""
        found = {}
        for name, arn in aliases.items():
            routes = self.states.describe_state_machine_alias(stateMachineAliasArn=arn)["routingConfiguration"]
            found[name] = routes[0]["stateMachineVersionArn"].rsplit(":", 1)[1]
        return found

    def left(self):
        """Every resource of the kinds that the configuration makes, by kind."""
        lists = {
            "functions": ("lambda", "list_functions", "Functions", "FunctionName"),
            "event source mappings": ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
            "queues": ("sqs", "list_queues", "QueueUrls", None),
            "topics": ("sns", "list_topics", "Topics", "TopicArn"),
            "subscriptions": ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
            "state machines": ("stepfunctions", "list_state_machines", "stateMachines", "name"),
            "HTTP APIs": ("apigatewayv2", "get_apis", "Items", "Name"),
            "roles": ("iam", "list_roles", "Roles", "RoleName"),
            "log groups": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
            "secrets": ("secretsmanager", "list_secrets", "SecretList", "Name"),
            "rules": ("events", "list_rules", "Rules", "Name"),
            "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
            "databases": ("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
            "mail identities": ("sesv2", "list_email_identities", "EmailIdentities", "IdentityName"),
        }
        found = {}
        for kind, (service, action, member, name) in lists.items():
            answer = getattr(self.client(service), action)()
            names = [item if name is None else item[name] for item in answer.get(member, [])]
            if names:
                found[kind] = names
        return found


def fits(template, rendered):
    """Whether a rendered definition is the template with a text for each placeholder, the same text for the same one."""
    pattern, seen = "", set()
    # `$${` is the escape of `${`, here and in Terraform.
    for part in re.split(r"(\$\$\{|\$\{[a-z0-9_]+\})", template):
        if part == "$${":
            pattern += re.escape("${")
        elif part.startswith("${"):
            name = part[2:-1]
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>[^\"]*?)"
            seen.add(name)
        else:
            pattern += re.escape(part)
    return re.fullmatch(pattern, rendered, re.DOTALL) is not None
