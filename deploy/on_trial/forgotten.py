"""What the foreign endpoint forgets: a second plan differs there, and only there, although nothing was changed.

An exact list. A difference that is not here fails the trial, because it may be a mistake of ours; a line here that no
longer occurs fails it too, so that the list stays as short as it can be.
"""

import re

ALARM = r'aws_cloudwatch_metric_alarm\.this\["[^"]+"\]'
MACHINE = r'aws_sfn_state_machine\.this\["[^"]+"\]'

# Pattern of the address, attribute, why.
FORGOTTEN = [
    *[
        (ALARM, attribute, "DescribeAlarms returns an alarm without it")
        for attribute in (
            "actions_enabled",
            "alarm_actions",
            "alarm_description",
            "dimensions",
            "ok_actions",
            "period",
            "statistic",
            "treat_missing_data",
        )
    ],
    (r'module\.database\["[^"]+"\]\.aws_db_instance\.this', "enabled_cloudwatch_logs_exports", "DescribeDBInstances returns none"),
    (r"aws_sesv2_email_identity\.this", "configuration_set_name", "GetEmailIdentity returns none"),
    (MACHINE, "tracing_configuration", "DescribeStateMachine returns none"),
    # What the provider can know only after that update of the state machine, and so the alias that follows it.
    (MACHINE, "revision_id", "made by the update of tracing_configuration"),
    (MACHINE, "state_machine_version_arn", "made by the update of tracing_configuration"),
    (r'aws_sfn_alias\.live\["[^"]+"\]', "routing_configuration", "follows state_machine_version_arn"),
]


def judge(differences):
    """Differences nobody expected, and lines of the list that matched nothing."""
    unexpected, used = [], set()
    for address, attribute in sorted(differences):
        fitting = [
            line
            for line, (pattern, known, _) in enumerate(FORGOTTEN)
            if attribute == known and re.fullmatch(pattern, address)
        ]
        if not fitting:
            unexpected.append(f"{address}: {attribute}")
        used.update(fitting)
    unused = [f"{line[0]}: {line[1]}" for number, line in enumerate(FORGOTTEN) if number not in used]
    return unexpected, unused
