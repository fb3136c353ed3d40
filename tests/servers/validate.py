"""Validates reports, one a line on standard input, against a JSON Schema: validate.py SCHEMA.

Strictly: a key that the schema does not list is an error wherever the schema lists any.
"""

import json
import sys

import jsonschema


def strict(node):
    if isinstance(node, list):
        for item in node:
            strict(item)
    elif isinstance(node, dict):
        if "properties" in node:
            node.setdefault("additionalProperties", False)
        for item in node.values():
            strict(item)


with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
strict(schema)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
seen = wrong = 0
for line in sys.stdin:
    seen += 1
    report = json.loads(line)
    for error in validator.iter_errors(report):
        wrong += 1
        place = "/".join(str(step) for step in error.absolute_path)
        print(f"{report.get('target', {}).get('input')}: {place}: {error.message[:300]}")
print(f"{seen} reports, {wrong} faults")
sys.exit(1 if wrong or not seen else 0)
