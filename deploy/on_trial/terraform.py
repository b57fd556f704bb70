"""Terraform on a copy of terraform/, with the provider from a mirror where there is one, against a given AWS endpoint."""

import json
import os
import pathlib
import shutil
import subprocess

from . import adapted
from .report import Failed, need

PROVIDER = "terraform-provider-aws_v5.100"
# Where packages and images put provider mirrors. Elsewhere: --mirror.
PLACES = ("/opt", "/usr/local", "/usr/share", "/var/lib", "~/.terraform.d")


def find_mirror():
    """The folder that holds the registry's name: five above the provider's own (registry/owner/name/version/platform)."""
    for place in PLACES:
        for folder, _, files in os.walk(os.path.expanduser(place)):
            if any(name.startswith(PROVIDER) for name in files):
                return str(pathlib.Path(folder).parents[4])
    return None


class Terraform:
    def __init__(self, root, folder, aws_url, mirror, database_server, variables):
        self.folder = folder / "terraform"
        shutil.copytree(
            root / "terraform",
            self.folder,
            ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "terraform.tfvars", "tests"),
        )
        # The configuration reads the list of the stack and the definitions beside itself.
        shutil.copytree(root / "workflows", folder / "workflows")
        for file in (folder / "workflows").rglob("*.asl.json"):
            file.write_text(adapted.definition(file.read_text()))
        shutil.copytree(root / "deploy/overlay", self.folder, dirs_exist_ok=True)
        for override in self.folder.rglob("*_override.tf"):
            override.write_text(override.read_text().replace("TRIAL_DATABASE_SERVER", database_server))
        self.variables = {}
        self.set(variables)
        self.environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": aws_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TF_IN_AUTOMATION": "true",
            "TF_INPUT": "false",
            "CHECKPOINT_DISABLE": "true",
        }
        if mirror:
            settings = folder / "terraform.rc"
            settings.write_text(
                "provider_installation {\n"
                f'  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n'
                "}\n"
            )
            self.environment["TF_CLI_CONFIG_FILE"] = str(settings)

    def set(self, variables):
        """Gives these variables their values, beside those that have one."""
        self.variables |= variables
        (self.folder / "trial.auto.tfvars.json").write_text(json.dumps(self.variables, indent=2))

    def run(self, *arguments, good=(0,)):
        """Output of `terraform …`. Fails with its errors."""
        done = self._done(*arguments)
        if done.returncode not in good:
            raise Failed(f"terraform {arguments[0]}:\n{done.stderr.strip()[-4000:] or done.stdout[-4000:]}")
        return done.stdout

    def refused(self, *arguments):
        """The errors of a `terraform …` that must not succeed."""
        done = self._done(*arguments)
        need(done.returncode != 0, f"terraform {arguments[0]} succeeded and should have been refused")
        return done.stderr

    def _done(self, *arguments):
        done = subprocess.run(
            ["terraform", *arguments, *(["-no-color"] if arguments[0] not in ("show", "output") else [])],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        with open(self.folder / "terraform.log", "a") as log:
            said = done.stderr if "-json" in arguments else done.stdout + done.stderr
            log.write(f"$ terraform {' '.join(arguments)}\n{said}\n")
        return done

    def outputs(self):
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")).items()}

    def resources(self):
        return self.run("state", "list").split()

    def differences(self, *options):
        """What a plan would change, as (address, attribute) pairs; whole resources as (address, action)."""
        self.run("plan", "-detailed-exitcode", "-out=second.tfplan", *options, good=(0, 2))
        plan = json.loads(self.run("show", "-json", "second.tfplan"))
        found = set()
        for change in plan.get("resource_changes", []):
            actions = change["change"]["actions"]
            if actions in (["no-op"], ["read"]):
                continue
            if actions != ["update"]:
                found.add((change["address"], "/".join(actions)))
                continue
            before, after = change["change"]["before"], change["change"]["after"]
            unknown = change["change"].get("after_unknown") or {}
            for name in sorted(set(before) | set(after)):
                if is_unknown(unknown.get(name)) or before.get(name) != after.get(name):
                    found.add((change["address"], name))
        return found


def is_unknown(marks):
    """Whether a plan's marks say that any part of a value is known only after the apply."""
    if isinstance(marks, (dict, list)):
        return any(is_unknown(mark) for mark in (marks.values() if isinstance(marks, dict) else marks))
    return marks is True
