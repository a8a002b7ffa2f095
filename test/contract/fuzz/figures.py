"""Counts what a run has sent, checked and followed, for the report that the runner writes."""

import json
import os
from collections import Counter

import schemathesis
from schemathesis.cli import EventHandler
from schemathesis.engine.events import ScenarioFinished


@schemathesis.cli.handler()
class Figures(EventHandler):
    def __init__(self, *_args, **_params):
        self.requests = Counter()
        self.checks = Counter()
        self.links = Counter()

    def handle_event(self, _context, event):
        if not isinstance(event, ScenarioFinished):
            return
        for case_id, node in event.recorder.cases.items():
            interaction = event.recorder.interactions.get(case_id)
            if interaction is None or interaction.response is None:
                continue
            operation = node.value.operation
            # A probe with another method says nothing of how far the operation was reached.
            is_own = interaction.request.method == operation.method.upper()
            name = operation.definition.raw["operationId"] if is_own else "other methods"
            status = interaction.response.status_code
            self.requests[name, event.phase.name.lower(), status] += 1
            link = node.transition
            if link is not None and not link.is_inferred and node.is_transition_applied and status < 400:
                self.links[link.id] += 1
        for checks in event.recorder.checks.values():
            self.checks.update(check.name for check in checks)

    def shutdown(self, _context):
        requests = [
            {"operation": operation, "phase": phase, "status": status, "count": count}
            for (operation, phase, status), count in sorted(self.requests.items())
        ]
        figures = {"requests": requests, "checks": dict(self.checks), "links": dict(self.links)}
        with open(os.environ["FUZZ_FIGURES"], "w", encoding="utf-8") as file:
            json.dump(figures, file)
