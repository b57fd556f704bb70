"""The flows as a shopper, the factory and an operator see them, each checked where its truth is: in the database."""

import json
import subprocess
import urllib.error
import urllib.request

from .report import Failed, eventually, need

PRODUCT = "CP-502101"
CUSTOMER = "CU-1"


class Flows:
    def __init__(self, restock, endpoint, aws_url, api_url, marketing_url, database_url, machines):
        self._restock = restock
        self._endpoint = endpoint
        self._aws_url = aws_url
        self._api = api_url
        self._marketing = marketing_url
        self._port = database_url.rsplit(":", 1)[1]
        self._machines = machines

    def sql(self, database, statement):
        """The first column of the first row."""
        command = ["mariadb", "--no-defaults", "--protocol=tcp", "--host=127.0.0.1", f"--port={self._port}"]
        done = subprocess.run(
            [*command, "--user=root", "--batch", "--skip-column-names", "-e", statement, database],
            capture_output=True,
            text=True,
        )
        need(done.returncode == 0, f"the database refused {statement!r}: {done.stderr}")
        return done.stdout.split("\n")[0].split("\t")[0]

    def stock(self):
        return int(self.sql("warehouse", f"select stock from products where product_id = '{PRODUCT}'"))

    def http(self, method, path, body=None, base=None):
        """Status and JSON body."""
        request = urllib.request.Request(
            f"{base or self._api}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as refused:
            answer = refused
        return answer.status, json.loads(answer.read() or b"null")

    def checkout(self, quantity, **more):
        order = {"MessageAttributeProductId": PRODUCT, "MessageAttributeProductCnt": quantity, **more}
        status, answer = self.http("POST", "/checkout", order)
        need(status == 200, f"POST /checkout answered {status}: {answer}")
        return answer

    def verb(self, *arguments):
        """What `restock … --json` prints about the endpoint."""
        command = [self._restock, *arguments, "--endpoint-url", self._aws_url]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._machines.folder)
        need(done.returncode == 0, f"{' '.join(command)}: {done.stderr[-2000:]}")
        return done.stdout

    def one_execution(self, machine, status, seconds=120):
        """The name of the machine's only execution, once it has this status."""

        def look():
            found = self._endpoint.executions(self._machines_arn[machine])
            need(len(found) <= 1, f"{machine} has {len(found)} executions and should have one")
            if found and found[0]["status"] not in ("RUNNING", status):
                history = self.verb("executions", "history", found[0]["name"])
                raise Failed(f"{machine} is {found[0]['status']}:\n{history[-3000:]}")
            return found[0]["name"] if found and found[0]["status"] == status else None

        return eventually(f"one execution of {machine} is {status}", look, seconds)

    def know(self, state_machine_arns):
        """ARNs of the state machines, by name. An alias's ARN ends in its name."""
        self._machines_arn = {name: ":".join(arn.split(":")[:7]) for name, arn in state_machine_arns.items()}

    def look_and_buy(self):
        status, donut = self.http("GET", "/product/donut")
        need(status == 200 and donut["stock"] == 1000, f"GET /product/donut: {status} {donut}")
        status, answer = self.http("GET", "/nothing/here")
        need((status, answer) == (404, {"error": "Not Found"}), f"an unknown path: {status} {answer}")
        answer = self.checkout(3)
        need(answer["outcome"] == "sold" and self.stock() == 997, f"a checkout of 3: {answer}")
        return answer["message"]

    def checkout_fails(self):
        answer = self.checkout(1500)
        need(answer["outcome"] == "refused", f"a checkout of 1,500: {answer}")
        return answer["message"]

    def parked(self, queue_url):
        """The factory refuses the first order: the reorder parks in its task's own DLQ, and the message says why.

        That endpoint leaves the parameters out of its histories' TaskScheduled events, which AWS always gives, so
        `restock dlq` finds nothing there: this reads the message, as any AWS client may.
        """
        sqs = self._endpoint.client("sqs")

        def look():
            return sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages")

        found = eventually("the refused task is parked", look, 120)
        need(len(found) == 1, f"one task should be parked: {found}")
        body = json.loads(found[0]["Body"])
        need(body["failed"]["error"] == "Factory.Rejected", f"parked for another reason: {body['failed']}")
        self._parked = (queue_url, found[0]["ReceiptHandle"], body["token"])
        return f"{body['failed']['state']}, {body['failed']['error']}"

    def replayed(self):
        """An empty answer keeps state and input."""
        before = self.stock()
        queue_url, receipt, token = self._parked
        self._endpoint.states.send_task_success(taskToken=token, output="{}")
        self._endpoint.client("sqs").delete_message(QueueUrl=queue_url, ReceiptHandle=receipt)
        name = self.one_execution("reorder", "SUCCEEDED")
        arrived = int(self.sql("warehouse", "select sum(delivered) from arrivals"))
        need(arrived >= 1500, f"{arrived} items arrived, and 1,500 were missing")
        need(self.stock() == before + arrived, f"stock {self.stock()}, before {before}, arrived {arrived}")
        counted = self.sql("warehouse", "select count(*) from stock_ledger where kind = 'arrival'")
        need(counted == "1", f"the arrival was counted {counted} times")
        return name, arrived

    def vip(self):
        answer = self.checkout(150, customer_id=CUSTOMER)
        need(answer["outcome"] == "sold", f"a checkout of 150: {answer}")
        name = self.one_execution("vip", "SUCCEEDED")
        kind = self.sql("customers", f"select type from customers where customer_id = '{CUSTOMER}'")
        need(kind == "vip", f"{CUSTOMER} is {kind}")
        _, received = self.http("GET", "/api/customers", base=self._marketing)
        need(CUSTOMER in json.dumps(received), f"the marketing system has {received}")
        return name

    def operator(self, execution):
        """The reading verbs, by --endpoint-url alone."""
        listed = json.loads(self.verb("executions", "list", "--json"))
        need(len(listed) == 2, f"two executions should be listed: {listed}")
        shown = json.loads(self.verb("executions", "show", execution, "--json"))
        # The endpoint's histories name no state inside a Parallel.
        states = [state["state"] for state in shown["states"]]
        need("Replenish" in states and "Replenished" in states, f"executions show lacks states: {states}")
        history = json.loads(self.verb("executions", "history", execution, "--json"))
        need(len(history) > 20, f"executions history is short: {history}")
        need(json.loads(self.verb("dlq", "list", "--json")) == [], "something is still parked")
        return f"{len(listed)} executions, {len(history)} events"
