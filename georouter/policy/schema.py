"""The JSON Schema of the policy as it is written."""

from georouter.policy.written import VERSION, Document


def json_schema() -> dict[str, object]:
    """Draft 2020-12, made from the models that read the files."""
    made = Document.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"georouter policy, version {VERSION}",
        **{key: value for key, value in made.items() if key != "title"},
    }
