"""A saga's story for a person: a line, a timeline, a Mermaid sequence diagram."""

from datetime import datetime, timedelta

from contracts.orchestrator.operating import SagaDetails, SagaEntry, SagaSummary


def line_of(saga: SagaSummary) -> str:
    """One line of a list."""
    error = f"  {saga.error_type}" if saga.error_type else ""
    step = f" at {saga.step}" if saga.step else ""
    return (
        f"{saga.saga_id}  {saga.status:<15} {saga.kind} v{saga.definition_version}"
        f"  {saga.subject_id}  {_moment(saga.started_at)}{step}{error}"
    )


def story(details: SagaDetails) -> str:
    """Steps, waits, ignored answers, who did what, and where to look further."""
    saga = details.saga
    lines = [line_of(saga), f"  trace {trace_id(saga)}   version {saga.version}"]
    if saga.wake_at:
        lines.append(f"  deadline {_moment(saga.deadline_at)}   looked at {_moment(saga.wake_at)}")
    if details.lock_keys:
        behind = f", behind {', '.join(map(str, details.ahead))}" if details.ahead else ""
        lines.append(f"  locks {', '.join(details.lock_keys)}{behind}")
    if details.error:
        lines.append(f"  because {saga.error_type} {details.error}")
    lines += ["", "  steps"]
    before = -1
    for step in details.steps:
        mark = "|" if step.stage == before else " "
        due = f"  again at {_moment(step.due_at)}" if step.due_at else ""
        sent = f"  sent {step.attempts}x" if step.attempts else ""
        lines.append(f"  {mark} {step.name:<24} {step.kind:<13} {step.state}{sent}{due}")
        before = step.stage
    lines += ["", "  history"]
    earlier = saga.started_at
    for entry in details.history:
        lines.append(f"    {_entry(entry, earlier)}")
        earlier = entry.at
    return "\n".join(lines)


def mermaid(details: SagaDetails) -> str:
    """The history as a sequence diagram: the saga, and each step as a partner."""
    steps = [step.name for step in details.steps]
    lines = ["sequenceDiagram", "    participant saga as " + details.saga.kind]
    lines += [f"    participant {name}" for name in steps]
    for entry in details.history:
        text = _clean(" ".join(part for part in (entry.happened, entry.reason) if part))
        for happened in entry.happened.split("+"):
            if entry.step in steps and happened in _ARROWS:
                lines.append(f"    {_ARROWS[happened].format(step=entry.step)}: {text}")
                break
        else:
            lines.append(f"    Note over saga: {text}")
    lines.append(f"    Note over saga: {details.saga.status}")
    return "\n".join(lines)


def trace_id(saga: SagaSummary) -> str:
    """The trace that the saga belongs to; "none" when its start was not traced."""
    parts = saga.traceparent.split("-")
    return parts[1] if len(parts) == 4 else "none"


_ARROWS = {
    "step_done": "{step}-->>saga",
    "step_rejected": "{step}--xsaga",
    "step_undone": "{step}-->>saga",
    "sent_again": "saga->>{step}",
    "needs_attention": "saga->>{step}",
    "retried": "saga->>{step}",
    "given_up": "saga-x{step}",
}


def _entry(entry: SagaEntry, earlier: datetime) -> str:
    waited = entry.at - earlier
    wait = f"+{_span(waited)}" if waited > timedelta(milliseconds=1) else ""
    words = [f"{entry.version:>4}", _moment(entry.at), f"{wait:>9}", entry.happened, entry.step]
    reason = f"({entry.reason})" if entry.reason else ""
    return " ".join(part for part in (*words, reason) if part)


def _span(wait: timedelta) -> str:
    seconds = wait.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _clean(text: str) -> str:
    """Mermaid ends a message at these."""
    return text.replace(";", ",").replace("#", " ").replace("\n", " ")
