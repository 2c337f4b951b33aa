"""Makes a client of an OpenAPI document with openapi-python-client, has mypy check it, and goes the whole way
with it: registers a seller, uploads, follows the upload, finds the package, registers an endpoint, quotes,
buys, reads the receipt, downloads, reviews, refunds, reads the statement.

In: {"document", "baseUrl", "buyer", "upload", "webhookUrl"}, where buyer is a key with credits and upload the
body of one. Out: {"mypy", "steps"}: what mypy prints, and what each step saw.
"""

import importlib
import json
import pathlib
import pkgutil
import subprocess
import sys
import tempfile
import urllib.request

NAME = "awareness_market_client"


def generate(document, folder):
    """The client's package, in a folder."""
    (folder / "document.json").write_text(json.dumps(document))
    (folder / "config.yaml").write_text("post_hooks: []\n")
    generator = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    paths = ["--path", folder / "document.json", "--config", folder / "config.yaml", "--output-path", folder / NAME]
    made = subprocess.run(generator + paths, capture_output=True, text=True)
    if made.returncode != 0:
        sys.exit(made.stdout + made.stderr)


def typed(folder):
    """What mypy says of it."""
    checked = subprocess.run([sys.executable, "-m", "mypy", NAME], cwd=folder, capture_output=True, text=True)
    return [line for line in checked.stdout.splitlines() if ": error:" in line]


class Caller:
    """Operations by their names, called with one key."""

    def __init__(self, base_url, key=None):
        package = importlib.import_module(NAME)
        self.models = importlib.import_module(f"{NAME}.models")
        api = importlib.import_module(f"{NAME}.api")
        found = pkgutil.walk_packages(api.__path__, f"{NAME}.api.")
        self.operations = {module.name.rsplit(".")[-1]: module.name for module in found if not module.ispkg}
        if key is None:
            self.client = package.Client(base_url=base_url, timeout=60)
        else:
            self.client = package.AuthenticatedClient(base_url=base_url, token=key, timeout=60)

    def __call__(self, operation, *path, body=None, **parameters):
        module = importlib.import_module(self.operations[operation])
        if body is not None:
            kind, fields = body
            parameters["body"] = getattr(self.models, kind).from_dict(fields)
        answer = module.sync_detailed(*path, client=self.client, **parameters)
        if answer.status_code >= 300 or answer.parsed is None:
            sys.exit(f"{operation}: {answer.status_code} {answer.content!r}")
        # An answer of versions 1 and 2 is in an envelope.
        return answer.parsed.data if hasattr(answer.parsed, "success") else answer.parsed


def journey(given):
    base_url = given["baseUrl"]
    name = f"The seller of {given['upload']['name']}"
    registered = Caller(base_url)("register_agent", body=("AgentRegistration", {"agentName": name}))
    seller = Caller(base_url, registered.api_key)
    buyer = Caller(base_url, given["buyer"])
    steps = {}

    accepted = seller("upload_package", body=("PackageUpload", given["upload"]))
    upload = seller("get_package_status", accepted.upload_id, prefer="wait=60")
    steps["upload"] = upload.status.value
    package = buyer("get_package", upload.package_id)
    kind = package.package_type
    found = buyer("search_packages", query=package.name).results
    listed = buyer("list_packages", source_model=package.source_model).packages
    steps["found"] = [upload.package_id in [one.package_id for one in page] for page in (found, listed)]

    buyer("create_endpoint", body=("EndpointRequest", {"url": given["webhookUrl"], "eventTypes": ["purchase.*"]}))
    terms = {"packageType": kind.value, "packageId": upload.package_id}
    quote = buyer("create_quote", body=("QuoteRequest", terms))
    order = {**terms, "paymentMethod": "credits", "quoteId": quote.quote_id}
    ordered = buyer("purchase_package", body=("PurchaseRequest", order), idempotency_key=f"order of {upload.package_id}")
    purchase = buyer("get_purchase", ordered.purchase_id, prefer="wait=60")
    steps["purchase"] = purchase.status.value
    steps["paid"] = purchase.price_minor == quote.price_minor
    receipt = buyer("get_receipt", ordered.purchase_id)
    steps["receipt"] = receipt.amount_minor == quote.price_minor
    link = buyer("download_package", package_type=kind, package_id=upload.package_id)
    with urllib.request.urlopen(link.package_url) as download:
        steps["downloaded"] = len(download.read())
    steps["review"] = buyer("review_package", upload.package_id, body=("ReviewRequest", {"rating": 5})).rating
    refunded = buyer("refund_purchase", ordered.purchase_id, body=("RefundRequest", {"reasonCode": "not_as_described", "reason": "It was bought by a test."}))
    steps["refund"] = refunded.status.value
    steps["statement"] = len(buyer("list_credits").entries)
    return steps


def main():
    given = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        generate(given["document"], folder)
        sys.path.insert(0, name)
        json.dump({"faults": typed(folder), "steps": journey(given)}, sys.stdout)


main()
