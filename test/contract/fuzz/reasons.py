"""Why the contract, in words, lets an operation refuse what its schema admits."""

# What may be refused whatever the rest of the request is like: a tag that is old, a key that was used.
CONDITIONS = {412: "If-Match", 422: "Idempotency-Key"}

USERNAME = (
    "A user with that username already exists.",
    "Enter a valid username.",
    "Ensure this field has no more than 150 characters.",
)
NEW_PASSWORD = (
    "This password is too short.",
    "This password is too common.",
    "The password is too similar to the username.",
    "Ensure this field has no more than 1024 characters.",
)
EMAIL = ("Enter a valid email address.", "Ensure this field has no more than 254 characters.")

# Reasons to refuse what fits the schema: what is known, configured, or no matter of form. By their first words.
REASONS = {
    "obtainAuthToken": {"non_field_errors": ("Unable to log in with provided credentials.",)},
    "registerUser": {"username": USERNAME, "password": NEW_PASSWORD, "email": EMAIL},
    "updateMe": {"email": EMAIL},
    "setPassword": {"current_password": ("Invalid password.",), "new_password": NEW_PASSWORD},
    "verifyToken": {"non_field_errors": ("Token is blacklisted",)},
}
# Of any text. The schema counts the white space around it, which is removed first.
OF_TEXTS = {
    "This field may not be blank.": lambda text: text.strip() == "",
    "Null characters are not allowed.": lambda text: "\0" in text,
}


def is_condition(response):
    return CONDITIONS.get(response.status_code, "") in response.request.headers


def are_told(operation_id, sent, answer):
    """Whether the contract says in words why the operation refused what its schema admits."""
    told = reasons_of(answer)
    return len(told) > 0 and all(
        is_reason(operation_id, field, sentence, sent.value_of(field)) for field, sentence in told
    )


def reasons_of(answer):
    """Pairs of a field and a sentence, of a problem or of a body as DRF has it."""
    if isinstance(answer, list):
        return [("search", sentence) for sentence in answer]
    if "request_id" in answer:
        return [(one["field"], one["detail"]) for one in answer.get("errors", [])]
    return [(field, sentence) for field, sentences in answer.items() for sentence in sentences]


def is_reason(operation_id, field, sentence, value):
    if sentence in OF_TEXTS:
        return isinstance(value, str) and OF_TEXTS[sentence](value)
    return sentence.startswith(REASONS.get(operation_id, {}).get(field, ()))
