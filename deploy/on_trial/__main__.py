"""The trial, in its order. Start reading here; deploy/README.md says what it is for."""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from . import forgotten, report
from .endpoint import REGION, Endpoint, fits
from .flows import Flows
from .machines import Machines, OwnDomain
from .redeploy import Redeploy
from .report import Failed, need, step
from .terraform import Terraform, find_mirror

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(prog="deploy/trial", description="The whole deployment on a foreign AWS endpoint.")
    parser.add_argument("--mirror", help="folder of a Terraform provider mirror; default: looked for, else the registry")
    parser.add_argument("--zips", type=pathlib.Path, help="folder of the zips; default: they are built")
    parser.add_argument("--restock", type=pathlib.Path, help="the restock program; default: it is built")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and the Terraform state")
    return parser.parse_args()


def cargo(*arguments):
    done = subprocess.run(["cargo", *arguments], cwd=ROOT)
    need(done.returncode == 0, f"cargo {' '.join(arguments)} failed; its messages are above")


def build(args):
    with step("build: restock, and the zips of the functions"):
        if args.restock is None:
            cargo("build", "--quiet", "--bin", "restock")
        if args.zips is None:
            cargo("xtask", "package")
    target = ROOT / "target"
    restock = args.restock or target / "debug/restock"
    zips = args.zips or target / "lambda/x86_64"
    need(restock.is_file(), f"there is no {restock}")
    return str(restock.resolve()), str(zips.resolve())


def variables(zips, factory, marketing, domain):
    """An installation as small as the configuration allows, and to throw away."""
    return {
        "region": REGION,
        "package_dir": zips,
        "factory_url": factory,
        "marketing_url": marketing,
        "callback_url": domain,
        "mail_from": "ads@shop.example.com",
        "ops_email": "ops@shop.example.com",
        "seed_samples": True,
        "deletion_protection": False,
    }


def trial(args, folder, machines):
    restock, zips = build(args)
    with step("start: MariaDB, the AWS endpoint, factory, marketing") as said:
        database = machines.mariadb()
        aws_url = machines.aws()
        factory = machines.factory(restock, "--fault", "reject", "--fault-count", "1")
        marketing = machines.marketing(restock)
        domain = OwnDomain(aws_url)
        endpoint = Endpoint(aws_url)
        empty = endpoint.left()
        said.append(aws_url)

    mirror = args.mirror or find_mirror()
    settings = variables(zips, factory, marketing, domain.url)
    terraform = Terraform(ROOT, folder, aws_url, mirror, database, settings)
    with step("terraform init") as said:
        terraform.run("init")
        said.append("provider from a mirror" if mirror else "provider from the registry")
    with step("terraform apply") as said:
        terraform.run("apply", "-auto-approve")
        outputs = terraform.outputs()
        said.append(f"{len(terraform.resources())} resources")
        said.append(f"schemas {outputs['migrated']}")
    domain.api_id = outputs["api_url"].split("//")[1].split(".")[0]

    flows = Flows(restock, endpoint, aws_url, domain.url, marketing, database, machines)
    flows.know(outputs["state_machine_arns"])
    with step("the deployed definitions are ours, but for the values of placeholders") as said:
        for name, arn in outputs["state_machine_arns"].items():
            template = (folder / "workflows" / name / f"{name}.asl.json").read_text()
            deployed = endpoint.definition(":".join(arn.split(":")[:7]))
            need(fits(template, deployed), f"{name} as deployed is not workflows/{name}/{name}.asl.json")
            said.append(name)
    with step("GET /product/donut, a checkout that is sold, an unknown path") as said:
        said.append(flows.look_and_buy())
    with step("a checkout fails") as said:
        said.append(flows.checkout_fails())
    with step("the factory refuses, the reorder parks in the task's own DLQ") as said:
        said.append(flows.parked(outputs["queue_urls"]["request_factory_dlq"]))
    with step("replayed by its token; the callback arrives, the stock rises") as said:
        execution, arrived = flows.replayed()
        said += [execution, f"{arrived} items", f"stock {flows.stock()}"]
    with step("a bulk purchase makes a VIP; the marketing system hears of it") as said:
        said.append(flows.vip())
    with step("restock executions list, show, history; restock dlq list") as said:
        said.append(flows.operator(execution))

    with step("a second plan changes nothing but what the endpoint forgets") as said:
        differences = terraform.differences()
        unexpected, unused = forgotten.judge(differences)
        said.append(f"{len(differences)} forgotten attributes")
        need(not unexpected, "a second plan would change:\n  " + "\n  ".join(unexpected))
        need(not unused, "the endpoint no longer forgets (shorten forgotten.py):\n  " + "\n  ".join(unused))
    redeploy = Redeploy(terraform, endpoint, flows, zips, outputs)
    redeploy.change()
    with step("a deploy of code that is older than the schema is refused") as said:
        said.append(redeploy.refused())
    with step("a deploy of changed code and a changed definition") as said:
        said.append(redeploy.done())
    with step("rolled back by live_versions and live_state_machine_versions") as said:
        said.append(redeploy.rolled_back())

    with step("terraform destroy; nothing is left") as said:
        terraform.run("destroy", "-auto-approve")
        need(not terraform.resources(), "resources are left in the state")
        left = {kind: names for kind, names in endpoint.left().items() if names != empty.get(kind)}
        need(not left, f"the endpoint still has {left}")


def main():
    args = arguments()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="restock-trial-"))
    machines = Machines(ROOT, folder)
    good = False
    try:
        trial(args, folder, machines)
        good = True
    except Failed as failed:
        report.complain(failed)
    finally:
        machines.end()
        if args.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{'the trial succeeded' if good else 'the trial FAILED'} after {report.total()}")
    return 0 if good else 1


sys.exit(main())
