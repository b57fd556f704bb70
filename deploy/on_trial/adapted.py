"""The definitions as the foreign endpoint can run them. AWS runs them as they are; each change is a lack of the endpoint.

Where it is not AWS, the trial's copy of a definition is changed to mean the same there.
"""

import json
import re

# A timeout that is an expression and only a placeholder. The endpoint does not evaluate JSONata there.
_TIMEOUT = re.compile(r'"TimeoutSeconds": "\{% (\$\{[a-z_]+\}) %\}"')


def definition(text):
    machine = json.loads(text)
    for name, state in list(machine["States"].items()):
        if state["Type"] == "Parallel" and "Output" in state:
            _output_after(machine["States"], name)
    return _TIMEOUT.sub(r'"TimeoutSeconds": \1', json.dumps(machine, ensure_ascii=False, indent=2))


def _output_after(states, name):
    """The endpoint ignores the Output of a Parallel: a Pass after it computes it, from the results alone."""
    state = states[name]
    expression = state.pop("Output").replace("$states.input", "{}").replace("$states.result", "$states.input")
    after = f"{name}Output"
    states[after] = {"Type": "Pass", "Output": expression, "Next": state["Next"]}
    state["Next"] = after
