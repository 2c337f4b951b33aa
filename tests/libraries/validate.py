"""Says what is wrong with each OpenAPI document on standard input, by the official schemas.

In: a JSON list of documents. Out: a JSON list of lists of {"at", "fault"}; an empty one is a valid document.
"""

import json
import sys

from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

VALIDATORS = {"3.0": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator}


def faults(document):
    validator = VALIDATORS[document["openapi"][:3]](document)
    return [
        {"at": "/".join(map(str, error.absolute_path)), "fault": error.message}
        for error in validator.iter_errors()
    ]


json.dump([faults(document) for document in json.load(sys.stdin)], sys.stdout)
