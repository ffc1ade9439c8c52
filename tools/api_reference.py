#!/usr/bin/env python3
"""Writes docs/generated/api.md, the reference of the REST interface, from openapi.yaml; with --check compares and exits 1 when they differ.

Usage: tools/api_reference.py [--check]     from the repository's root
"""

import json
import pathlib
import sys

import yaml

METHODS = ("get", "put", "post", "patch", "delete")
GROUPS = (
    ("Searches", lambda path: path.endswith(("/search", "/search/batch"))),
    ("Documents", lambda path: "/documents" in path or path.endswith(("/count", "/scroll", "/facet"))),
    ("Collections and aliases", lambda path: path.startswith(("/api/v1/collections", "/api/v1/aliases"))),
    ("Accounts", lambda path: path.startswith(("/api/v1/auth", "/api/v1/users", "/api/v1/keys", "/api/v1/tenants", "/api/v1/audit"))),
    ("Backups", lambda path: path.startswith("/api/v1/backups")),
    ("Other", lambda path: path.startswith("/api/")),
    ("Probes", lambda path: not path.startswith(("/collections", "/aliases"))),
    ("The Qdrant dialect", lambda path: True),
)
ORDER = ("Collections and aliases", "Documents", "Searches", "Accounts", "Backups", "Other", "Probes", "The Qdrant dialect")


def group_of(path):
    return next(title for title, holds in GROUPS if holds(path))


def one_line(text):
    return " ".join(str(text).split()).replace("|", "\\|")


def name_of(node):
    return node["$ref"].rsplit("/", 1)[-1] if "$ref" in node else None


class Reference:
    def __init__(self, root):
        self.root = root
        self.lines = []

    def follow(self, node):
        while "$ref" in node:
            found = self.root
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node

    def shape(self, node):
        """A schema in a few words."""
        name = name_of(node)
        if name and self.root["components"]["schemas"].get(name, {}).get("properties"):
            return f"[{name}](#{name.lower()})"
        node = self.follow(node)
        if "oneOf" in node:
            return " or ".join(self.shape(part) for part in node["oneOf"])
        if "enum" in node:
            return " \\| ".join(f"`{json.dumps(value).strip(chr(34))}`" for value in node["enum"])
        kind = node.get("type", "any JSON")
        if kind == "array":
            return f"list of {self.shape(node.get('items', {}))}{self.bounds(node, 'minItems', 'maxItems')}"
        if kind == "string":
            return node.get("format", "string") + self.bounds(node, "minLength", "maxLength", "characters")
        return kind + self.bounds(node, "minimum", "maximum") + (" or null" if node.get("nullable") else "")

    @staticmethod
    def bounds(node, least, most, unit=""):
        if least in node and most in node:
            text = f"{node[least]} to {node[most]}"
        elif most in node:
            text = f"at most {node[most]}"
        elif least in node:
            text = f"at least {node[least]}"
        else:
            return ""
        return f" ({text}{' ' + unit if unit else ''})"

    def rows_of(self, schema, before=""):
        """(name, shape, required, sentence) of each member; those of objects without a name of their own behind it, by a path."""
        schema = self.follow(schema)
        for part in schema.get("allOf", []):
            yield from self.rows_of(part, before)
        for name, member in schema.get("properties", {}).items():
            whole = self.follow(member)
            sentence = whole.get("description", "")
            if "default" in whole:
                sentence += f" Without it `{json.dumps(whole['default'])}`."
            yield f"`{before}{name}`", self.shape(member), name in schema.get("required", []), one_line(sentence)
            inner = self.follow(whole.get("items", {})) if whole.get("type") == "array" else whole
            inner_name = name_of(member) or name_of(whole.get("items", {}))
            if "properties" in inner and not inner_name:
                yield from self.rows_of(inner, f"{before}{name}{'[]' if inner is not whole else ''}.")

    def table(self, rows, title):
        rows = list(rows)
        if not rows:
            return
        self.lines += ["", f"| {title} | is | |", "|---|---|---|"]
        for name, shape, is_required, sentence in rows:
            self.lines.append(f"| {name} | {shape}{', required' if is_required else ''} | {sentence} |")

    def parameters(self, parameters):
        for parameter in map(self.follow, parameters):
            yield (f"`{parameter['name']}` ({parameter['in']})", self.shape(parameter.get("schema", {})), parameter.get("required", False),
                   one_line(parameter.get("description", "")))

    def example(self, value):
        text = json.dumps(value, ensure_ascii=False)
        if len(text) > 110:
            text = json.dumps(value, ensure_ascii=False, indent=2)
        self.lines += ["", "```json", *text.splitlines(), "```"]

    def operation(self, method, path, shared, operation):
        self.lines += ["", f"### {method.upper()} `{path}`", "", one_line(operation.get("summary", ""))]
        self.table(self.parameters([*shared, *operation.get("parameters", [])]), "parameter")
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "schema" in content:
            name = name_of(content["schema"])
            if name:
                self.lines += ["", f"The request is a [{name}](#{name.lower()})."]
            else:
                self.table(self.rows_of(content["schema"]), "request")
        for value in [content[key] for key in ("example",) if key in content] + [e["value"] for e in content.get("examples", {}).values()]:
            self.example(value)
        self.answers(operation["responses"])

    def answers(self, responses):
        self.lines.append("")
        failures = []
        for status, answer in responses.items():
            if name_of(answer) == "Error":
                failures.append(status)
                continue
            content = answer.get("content", {}).get("application/json", {})
            name = name_of(content.get("schema", {}))
            link = f" A [{name}](#{name.lower()})." if name else ""
            text = one_line(answer["description"]).rstrip(".")
            self.lines.append(f"- **{status}** {text}.{link}" + (f" `{json.dumps(content['example'], ensure_ascii=False)}`" if "example" in content else ""))
        if failures:
            self.lines.append(f"- {', '.join(f'**{status}**' for status in failures)} [an error](#errors)")

    def write(self):
        info = self.root["info"]
        self.lines += ["# REST interface", "", "<!-- Written by tools/api_reference.py from openapi.yaml; change it there. -->", "",
                       one_line(info["description"])]
        groups = {title: [] for title in ORDER}
        for path, methods in self.root["paths"].items():
            for method in METHODS:
                if method in methods:
                    groups[group_of(path)].append((method, path, methods.get("parameters", []), methods[method]))
        for title in ORDER:
            if groups[title]:
                self.lines += ["", f"## {title}"]
                if title == "The Qdrant dialect":
                    self.dialect(groups[title])
                else:
                    for operation in groups[title]:
                        self.operation(*operation)
        self.shapes()
        self.errors()
        return "\n".join(self.lines) + "\n"

    def dialect(self, operations):
        self.lines += ["", "Requests and answers as Qdrant's clients send and read them: [the page on it](../qdrant.md).", "", "| route | does |", "|---|---|"]
        for method, path, _, operation in operations:
            self.lines.append(f"| {method.upper()} `{path}` | {one_line(operation['summary'])} |")

    def shapes(self):
        self.lines += ["", "## Shapes"]
        for name, schema in self.root["components"]["schemas"].items():
            rows = list(self.rows_of(schema))
            if rows:
                self.lines += ["", f"### {name}"]
                if "description" in schema:
                    self.lines += ["", one_line(schema["description"])]
                self.table(rows, "member")
            elif "oneOf" in schema:
                self.lines += ["", f"### {name}", "", "One of:"]
                for part in schema["oneOf"]:
                    self.lines += ["", f"- {self.shape(part)}. {one_line(part.get('description', ''))}".rstrip()]
                    self.table(self.rows_of(part) if "$ref" not in part else [], "member")

    def errors(self):
        schema = self.root["components"]["responses"]["Error"]
        self.lines += ["", "## Errors", "", one_line(schema["description"])]
        self.table(self.rows_of(schema["content"]["application/json"]["schema"]), "member")


def main():
    page = pathlib.Path("docs/generated/api.md")
    text = Reference(yaml.safe_load(pathlib.Path("openapi.yaml").read_text(encoding="utf-8"))).write()
    if sys.argv[1:] == ["--check"]:
        if page.read_text(encoding="utf-8") != text:
            print(f"{page} is not what openapi.yaml says: run tools/api_reference.py")
            return 1
        return 0
    page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
