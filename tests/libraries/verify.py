"""Says of each webhook on standard input whether Python's `standardwebhooks` verifies it.

In: a JSON list of {"secret", "headers", "body"}. Out: a JSON list of {"v1": bool}.
"""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def verifies(message):
    try:
        Webhook(message["secret"]).verify(message["body"], message["headers"])
        return True
    except WebhookVerificationError:
        return False


messages = json.load(sys.stdin)
json.dump([{"v1": verifies(message)} for message in messages], sys.stdout)
