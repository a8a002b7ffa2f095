"""
How Django REST Framework reads a request, in the language it is written in: what the contract says in words, and a
JSON Schema cannot.
"""

import email.parser
import email.policy
import json
import re
import urllib.parse
from decimal import Decimal, InvalidOperation

import jsonschema_rs

TRUE = {"t", "y", "yes", "true", "on", "1", 1}
FALSE = {"f", "n", "no", "false", "off", "0", 0}
LONGEST_NUMBER = 1000
LARGEST_BODY = LARGEST_HEAD = 16_384
IDEMPOTENCY_KEY = re.compile(r'("[A-Za-z0-9._~:/+=-]{1,255}"|[A-Za-z0-9._~:/+=-]{1,255})')


def resolved(node, root):
    while "$ref" in node:
        target = root
        for key in node["$ref"].split("/")[1:]:
            target = target[key.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def as_read(value, schema):
    """The value in the type that the schema wants, where DRF's fields find one in it."""
    if schema.get("type") == "integer":
        return as_integer(value)
    if schema.get("type") == "boolean":
        word = value.strip().lower() if isinstance(value, str) else value
        if isinstance(word, (list, dict)):
            return value
        return True if word in TRUE else False if word in FALSE else value
    if schema.get("format") == "decimal":
        return as_decimal(value)
    if schema.get("type") == "string":
        text = str(value) if is_number(value) else value
        return text.strip() if isinstance(text, str) and schema.get("x-trim") is not False else text
    return value


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_integer(value):
    if not isinstance(value, str) or len(value) > LONGEST_NUMBER:
        return value
    try:
        return int(re.sub(r"\.0*\s*$", "", value))
    except ValueError:
        return value


def as_decimal(value):
    if not (isinstance(value, str) or is_number(value)):
        return value
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return value
    return format(number, "f") if number.is_finite() and abs(number.adjusted()) < 60 else value


def fits(value, schema):
    bounds = schema.get("x-decimal")
    if bounds and "maximum" in bounds:
        try:
            if Decimal(value) > Decimal(bounds["maximum"]):
                return False
        except (InvalidOperation, TypeError):
            return False
    return jsonschema_rs.validator_for(schema).is_valid(value)


class Sent:
    """A request as it went over the wire, beside what the contract says of its operation."""

    def __init__(self, case, request):
        root = case.operation.schema.raw_schema
        item = root["paths"][case.operation.path]
        raw = case.operation.definition.raw
        url = urllib.parse.urlsplit(request.url)
        self.parameters = [
            resolved(one, root) for one in (*item.get("parameters", []), *raw.get("parameters", []))
        ]
        self.query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
        self.headers = request.headers
        self.path = path_parameters(case.operation.path, url.path)
        self.schema = body_schema(raw, root)
        self.body = body_of(request)
        self.is_form = "form" in request.headers.get("Content-Type", "")

    def fits(self):
        return all(self.parameter_fits(one) for one in self.parameters) and self.body_fits()

    def parameter_fits(self, parameter):
        schema, name = parameter["schema"], parameter["name"]
        if parameter["in"] == "path":
            return name in self.path and fits(as_read(self.path[name], schema), schema)
        if parameter["in"] == "header":
            return name not in self.headers or fits(self.headers[name].strip(), schema)
        if parameter["in"] != "query" or schema.get("x-ignore-invalid"):
            return True
        # The last one counts, and a blank one is none.
        value = as_read(self.query.get(name, [""])[-1], schema)
        return value == "" or fits(value, schema)

    def body_fits(self):
        if self.schema is None:
            return True
        if not isinstance(self.body, dict):
            return False
        members = self.members()
        return all(name in members for name in self.schema.get("required", [])) and all(
            fits(value, self.schema["properties"][name]) for name, value in members.items()
        )

    def members(self):
        """The declared members of the body as they are read; others are ignored."""
        properties = self.schema["properties"]
        return {
            name: as_read(value, properties[name])
            for name, value in self.body.items()
            if name in properties and not self.is_left_blank(name, value)
        }

    def is_left_blank(self, name, value):
        # An empty input of an HTML form means "not filled in" where the field takes no blanks.
        schema = self.schema["properties"][name]
        takes_blank = schema.get("type") == "string" and schema.get("format") != "decimal"
        return self.is_form and value == "" and not takes_blank and name not in self.schema.get("required", [])

    def value_of(self, name):
        if isinstance(self.body, dict) and name in self.body:
            return self.body[name]
        return self.query.get(name, [None])[-1]


def is_too_large(case, response):
    """Whether the request has more bytes than are read of it, which decides before all else."""
    request = response.request
    if response.status_code == 413:
        return len(request.body or b"") > case.operation.definition.raw.get("x-max-body-bytes", LARGEST_BODY)
    head = len(request.url) + sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    return response.status_code == 431 and head > LARGEST_HEAD - 500


def path_parameters(template, path):
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    match = re.fullmatch(pattern, path)
    return {name: urllib.parse.unquote(text) for name, text in match.groupdict().items()} if match else {}


def body_schema(operation, root):
    if "requestBody" not in operation:
        return None
    content = resolved(operation["requestBody"], root)["content"]
    return resolved(content["application/json"]["schema"], root)


def body_of(request):
    """Bodies without a byte count as `{}`; what cannot be read is None."""
    body = request.body or b""
    data = body.encode() if isinstance(body, str) else body
    kind = request.headers.get("Content-Type", "")
    if not data:
        return {}
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(urllib.parse.parse_qsl(data.decode(), keep_blank_values=True))
    if kind.startswith("multipart/form-data"):
        parser = email.parser.BytesParser(policy=email.policy.HTTP)
        message = parser.parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + data)
        return {
            part.get_param("name", header="content-disposition"): file_or_text(part)
            for part in message.iter_parts()
        }
    try:
        return json.loads(data)
    except ValueError:
        return None


def file_or_text(part):
    if part.get_filename() is not None:
        return {"file": True}
    return (part.get_payload(decode=True) or b"").decode(errors="replace")
