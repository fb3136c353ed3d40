"""Validates objects, one a line on standard input, each against the JSON Schema that describes it: validate.py SCHEMA...

That is the schema with the most of the object's keys. Strictly: a key that the schema does not list is an error wherever the schema lists any.
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


def validator(path):
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    strict(schema)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


validators = [validator(path) for path in sys.argv[1:]]
seen = wrong = 0
for line in sys.stdin:
    seen += 1
    found = json.loads(line)
    by = max(validators, key=lambda by: len(by.schema["properties"].keys() & found.keys()))
    for error in by.iter_errors(found):
        wrong += 1
        place = "/".join(str(step) for step in error.absolute_path)
        print(f"{by.schema['title']}: {found.get('target', {}).get('input')}: {place}: {error.message[:300]}")
print(f"{seen} objects, {wrong} faults")
sys.exit(1 if wrong or not seen else 0)
