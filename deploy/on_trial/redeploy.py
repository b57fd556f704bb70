"""The next deploys: changed code and a changed definition, first over a schema that is newer than the code, then really,
then back.

What must hold is the order: new versions that nobody uses, the function `migrate`, the aliases `live`, the definitions.
"""

import json
import pathlib
import re
import shutil
import zipfile

from . import forgotten
from .report import need

# As if a later version of the program had brought its migration along.
_NEWER = 9999
_MIGRATED = (
    "insert into _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) "
    f"values ({_NEWER}, 'from a newer version', now(), 1, '', 0)"
)
_FORGET = f"delete from _sqlx_migrations where version = {_NEWER}"
_COMMENT = "The next deploy"


class Redeploy:
    def __init__(self, terraform, endpoint, flows, zips, outputs):
        self._terraform = terraform
        self._endpoint = endpoint
        self._flows = flows
        self._aliases = outputs["state_machine_arns"]
        self._names = list(outputs["live_versions"])
        self._zips = pathlib.Path(zips)
        self._before = self._live()
        need(self._before[0] == outputs["live_versions"], f"live_versions {outputs['live_versions']}, really {self._before[0]}")
        need(
            self._before[1] == outputs["live_state_machine_versions"],
            f"live_state_machine_versions {outputs['live_state_machine_versions']}, really {self._before[1]}",
        )

    def _live(self):
        return self._endpoint.live_functions(self._names), self._endpoint.live_machines(self._aliases)

    def _definition(self):
        machine = ":".join(self._aliases["reorder"].split(":")[:7])
        return json.loads(self._endpoint.definition(machine))

    def change(self):
        """Zips with other bytes (the same program, so that it still runs), and a definition with another comment."""
        changed = self._terraform.folder.parent / "zips"
        shutil.copytree(self._zips, changed)
        for path in changed.glob("*.zip"):
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr("changed", "")
        file = self._terraform.folder.parent / "workflows/reorder/reorder.asl.json"
        # A template, not JSON: a placeholder may stand for a number.
        text, changes = re.subn(r'\A\{\s*"Comment": "[^"]*"', f'{{\n  "Comment": "{_COMMENT}"', file.read_text())
        need(changes == 1, f"{file} does not begin with a Comment")
        file.write_text(text)
        self._terraform.set({"package_dir": str(changed)})

    def refused(self):
        """Over a newer schema the deploy ends before anything is used that it brought."""
        self._flows.sql("warehouse", _MIGRATED)
        errors = self._terraform.refused("apply", "-auto-approve", "-refresh=false")
        # Terraform breaks long lines and draws a border.
        said = " ".join(errors.replace("│", " ").split())
        need("Schema.Refused" in said and str(_NEWER) in said, f"refused, but not by migrate:\n{errors[-3000:]}")
        need(self._live() == self._before, f"an alias moved: {self._before} became {self._live()}")
        need(self._definition().get("Comment") != _COMMENT, "the definition was deployed")
        published = self._endpoint.newest_functions(self._names)
        need(all(published[name] != self._before[0][name] for name in self._names), f"no new versions: {published}")
        need(self._flows.checkout(1)["outcome"] == "sold", "the old code does not sell")
        self._flows.sql("warehouse", _FORGET)
        return "Schema.Refused, no alias moved"

    def done(self):
        """Every alias points to what was published last, and it works."""
        self._terraform.run("apply", "-auto-approve", "-refresh=false")
        functions, machines = self._live()
        published = self._endpoint.newest_functions(self._names)
        need(functions == published, f"live {functions}, published {published}")
        need(all(functions[name] != self._before[0][name] for name in self._names), f"not moved: {functions}")
        need(machines["reorder"] != self._before[1]["reorder"], f"the state machine's alias stayed: {machines}")
        # The endpoint forgets the tracing of a state machine, so each deploy there publishes the unchanged ones as well.
        need(self._definition()["Comment"] == _COMMENT, "the definition is the old one")
        need(self._flows.checkout(1)["outcome"] == "sold", "the new code does not sell")
        return f"functions at {sorted(set(functions.values()))}, reorder at {machines['reorder']}"

    def rolled_back(self):
        """As docs/deploy.md says: pin what was noted before. It moves aliases and nothing else."""
        functions, machines = self._before
        self._terraform.set({"live_versions": functions, "live_state_machine_versions": machines})
        changed, _ = forgotten.judge(self._terraform.differences("-refresh=false"))
        others = [change for change in changed if not change.startswith(("aws_lambda_alias.live", "aws_sfn_alias.live"))]
        need(not others, f"a rollback would also change {others}")
        self._terraform.run("apply", "-auto-approve", "-refresh=false")
        need(self._live() == self._before, f"not rolled back: {self._live()}, before {self._before}")
        need(self._flows.checkout(1)["outcome"] == "sold", "the old code does not sell")
        return f"functions at {sorted(set(functions.values()))}, state machines at {sorted(set(machines.values()))}"
