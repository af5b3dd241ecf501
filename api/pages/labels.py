"""The label audit: labels of the history that are probably wrong, one key to confirm or fix."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Query, Request, Response

from api.judging import known_labels
from api.pages.rendering import render
from api.pages.session import PageError, Person, PersonDep, PersonRoute
from api.pages.ticket import see
from api.pages.ticket_view import LabelView
from api.service import Service, ServiceDep
from triage.store import DoubtDecided, LabelDoubt

router = APIRouter(route_class=PersonRoute, include_in_schema=False)

PAGE = 40
_MOST_COUNTED = 1_000

DoubtId = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f]+$")]
Cursor = Annotated[str, Query(max_length=64)]
State = Annotated[Literal["open", "decided"], Query()]


@dataclass(frozen=True, slots=True)
class DoneLabel:
    """A label that was just decided, in a sentence."""

    text: str
    doubt_id: str


@router.get("/review/labels")
def show_doubts(
    request: Request,
    service: ServiceDep,
    person: PersonDep,
    state: State = "open",
    after: Cursor = "",
    before: Cursor = "",
    done: Cursor = "",
) -> Response:
    """List labels that are probably wrong, the surest first; or those that people decided."""
    doubts = service.store.label_doubts
    start, end = _place(after, service), _place(before, service)
    found = doubts.queue(state, after=start, before=end, limit=PAGE + 1)
    has_another = len(found) > PAGE
    found = found[-PAGE:] if end else found[:PAGE]
    count = doubts.count(state, most=_MOST_COUNTED)
    return render(
        request,
        "labels.html",
        active="labels",
        state=state,
        doubts=found,
        count=f"{_MOST_COUNTED:,}+" if count >= _MOST_COUNTED else f"{count:,}",
        is_one=count == 1,
        has_more=end is not None or has_another,
        has_before=has_another if end else start is not None,
        name=lambda doubt, label: _name(doubt.target, label, service),
        done=_done(done, service, person),
    )


@router.get("/review/labels/{doubt_id}")
def show_doubt(
    doubt_id: DoubtId,
    request: Request,
    service: ServiceDep,
    person: PersonDep,
    done: Cursor = "",
    undone: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show one ticket of the history with the label it has and the one that fits better."""
    doubt = service.store.label_doubts.get(doubt_id)
    if doubt is None:
        raise PageError(404, "This label is not here", "It was erased, or the address is wrong.")
    labels = dict.fromkeys([*known_labels(service.engine, doubt.target), doubt.given, doubt.likely])
    return render(
        request,
        "label.html",
        active="labels",
        doubt=doubt,
        given=_name(doubt.target, doubt.given, service),
        likely=_name(doubt.target, doubt.likely, service),
        decided=_name(doubt.target, doubt.label, service) if doubt.label else "",
        options=[LabelView(label, _name(doubt.target, label, service)) for label in labels],
        is_mine=doubt.decided_by == person.key.id,
        done=_done(done, service, person),
        is_undone=bool(undone),
    )


@router.get("/review/labels/{doubt_id}/next")
def go_on(doubt_id: DoubtId, service: ServiceDep, person: PersonDep) -> Response:
    """Go on to the label after this one; nothing is stored."""
    return _to_next(service.store.label_doubts.get(doubt_id), service)


@router.get("/review/labels/{doubt_id}/previous")
def go_back(doubt_id: DoubtId, service: ServiceDep, person: PersonDep) -> Response:
    """Go back to the label before this one."""
    doubts = service.store.label_doubts
    here = doubts.get(doubt_id)
    found = doubts.queue(before=here, limit=1) if here else []
    return see(f"/review/labels/{found[0].id}" if found else "/review/labels")


@router.post("/review/labels/{doubt_id}/decision")
def decide(
    doubt_id: DoubtId,
    request: Request,
    service: ServiceDep,
    person: PersonDep,
    revision: Annotated[int, Form(ge=0, le=2**31 - 1)],
    verdict: Annotated[Literal["confirmed", "fixed", "chosen"], Form()],
    label: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Store which label holds, if nobody was faster, and go on to the next."""
    doubts = service.store.label_doubts
    doubt = doubts.get(doubt_id)
    if doubt is None:
        raise PageError(404, "This label is not here", "It was erased, or the address is wrong.")
    chosen = {"confirmed": doubt.given, "fixed": doubt.likely, "chosen": label}[verdict]
    known = {*known_labels(service.engine, doubt.target), doubt.given, doubt.likely}
    if chosen not in known:
        raise PageError(422, "Choose a label", "The desk has no such label. Nothing was stored.")
    try:
        decided = doubts.decide(
            doubt_id, chosen, revision=revision, api_key_id=person.key.id, at=datetime.now(UTC)
        )
    except DoubtDecided as error:
        return _conflict_page(request, doubt, error.doubt, service, person)
    return _to_next(decided, service, done=decided.id)


@router.post("/review/labels/undo")
def undo(
    service: ServiceDep,
    person: PersonDep,
    doubt_id: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Take back a decision of one's own: the one named, or else the last one."""
    doubts = service.store.label_doubts
    if not doubt_id:
        latest = doubts.latest_of(person.key.id)
        if latest is None:
            raise PageError(409, "There is nothing to undo", "You have decided no label yet.")
        doubt_id = latest.id
    try:
        doubts.undo(doubt_id, api_key_id=person.key.id)
    except DoubtDecided:
        raise PageError(
            409,
            "This cannot be undone any more",
            "It was undone already, somebody else has decided it since, or the ticket was erased.",
        ) from None
    return see(f"/review/labels/{doubt_id}?undone=1")


def _to_next(here: LabelDoubt | None, service: Service, *, done: str = "") -> Response:
    told = f"?done={done}" if done else ""
    found = service.store.label_doubts.queue(after=here, limit=1)
    return see(f"/review/labels/{found[0].id}{told}" if found else f"/review/labels{told}")


def _place(doubt_id: str, service: Service) -> LabelDoubt | None:
    return service.store.label_doubts.get(doubt_id) if doubt_id else None


def _done(doubt_id: str, service: Service, person: Person) -> DoneLabel | None:
    doubt = service.store.label_doubts.get(doubt_id) if doubt_id else None
    if doubt is None or doubt.label is None or doubt.decided_by != person.key.id:
        return None
    name = _name(doubt.target, doubt.label, service)
    verb = "Confirmed" if doubt.label == doubt.given else "Fixed"
    return DoneLabel(f"{verb} {doubt.ticket_id}: {doubt.target} is {name}.", doubt.id)


def _name(target: str, label: str, service: Service) -> str:
    taxonomy = service.engine.helper.taxonomy
    if target == "tier":
        return f"{label} {taxonomy.tier_name(label)}"
    return taxonomy.category_name(label) if target == "category" else label


def _conflict_page(
    request: Request,
    seen: LabelDoubt,
    now: LabelDoubt | None,
    service: Service,
    person: Person,
) -> Response:
    return render(
        request,
        "label_conflict.html",
        status=409,
        active="labels",
        seen=seen,
        doubt=now,
        is_mine=now is not None and now.decided_by == person.key.id,
        label=_name(now.target, now.label, service) if now and now.label else "",
    )
