"""The JSON Schema of the reports: what is written is what is described, and nothing besides."""

from __future__ import annotations

import copy
import dataclasses
import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from pytest_wsstability.core.call_summary import CallSummary, Turn, Underrun
from pytest_wsstability.core.cause import Diagnosis, Evidence, Hypothesis
from pytest_wsstability.core.diagnosis import diagnosed
from pytest_wsstability.core.fleet_summary import (
    CurvePoint,
    EndEvents,
    FanoutSummary,
    FleetCount,
    FleetRecord,
    FleetSummary,
    GroupSummary,
    Quantile,
    ReturnSummary,
    SharedFeature,
    Stretch,
    WorkerSummary,
)
from pytest_wsstability.core.judge.requirement import ExpectedClose, Requirement
from pytest_wsstability.core.judge.verdict import Doubt, Verdict, Violation
from pytest_wsstability.core.result import SCHEMA
from pytest_wsstability.core.timeline.close import CloseEvidence, CloseFrame
from pytest_wsstability.core.timeline.events import EventKind, FaultName, Opcode, Role
from pytest_wsstability.core.timeline.tcp import TcpSample, packed
from pytest_wsstability.report import json_file, jsonl
from tests.core.script import FIN
from tests.report.made import cut, doubtful, expected, fleet, good, hostile, result, returned, run, spoken

TEXT = resources.files("pytest_wsstability.report").joinpath("schema.json").read_text()
PUBLISHED = json.loads(TEXT)
DEFS = PUBLISHED["$defs"]


def closed(schema):
    """The schema without room for properties that it does not describe."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(each) for name, each in schema.items()}
    if "properties" in inner and isinstance(inner["properties"], dict) and inner.get("type") == "object":
        inner.setdefault("additionalProperties", False)
    return inner


STRICT = closed(copy.deepcopy(PUBLISHED))


def told():
    """A verdict with a diagnosis."""
    made = result((25, ">beat"), (50, ">beat"), (60, FIN))
    return dataclasses.replace(made, verdict=diagnosed(made.verdict, made.timelines))


def with_kernel():
    made = cut()
    made.timelines[0]._tcp = packed([TcpSample(59.0, "ESTABLISHED", 1, 2, 1, 0, 9.0, 100, 0.02)])
    return made


RUNS = {
    "empty": run(),
    "some": run(good(), cut(), doubtful(), expected(cut()), hostile(), complaints=("a gate",)),
    "told": run(told()),
    "fleet": run(fleet(), fleet(lost=0), returned()),
    "spoken": run(spoken()),
    "kernel": run(with_kernel()),
    "required": run(result((60, FIN), requirement=Requirement.of(closed=ExpectedClose(code=1000, by=None)))),
    "not opened": run(dataclasses.replace(cut(), timelines=())),
    "stalled": run(result((1, "paused"), (2, "lag", 1.5), (3, "slept", 60.0), (4, "resumed"), until=120)),
}


def test_it_is_a_schema():
    """Of the draft that it names, and of the version that is written."""
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)

    assert DEFS["run"]["properties"]["schema"] == {"const": SCHEMA}


@pytest.mark.parametrize("name", RUNS)
def test_a_json_report_is_as_described(name):
    """Every property, and none that the schema does not know."""
    jsonschema.Draft202012Validator(STRICT).validate(json.loads(json_file.render(RUNS[name])))


@pytest.mark.parametrize("name", RUNS)
def test_each_line_of_a_jsonl_report_is_as_described(name):
    """The lines have a definition of their own."""
    validator = jsonschema.Draft202012Validator({**STRICT, "$ref": "#/$defs/line"})
    lines = jsonl.render(RUNS[name]).splitlines()
    lines += [jsonl.tick_line(1.5), jsonl.dropped_line(1), jsonl.traffic_line(1, cut().timelines[0])]
    lines += [jsonl.close_line(1, cut().timelines[0].close)]

    for line in lines:
        validator.validate(json.loads(line))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(schema=1),
        lambda data: data.pop("started"),
        lambda data: data["results"][0]["verdict"].update(outcome="fine"),
        lambda data: data["results"][0]["verdict"].update(tier="dream time"),
        lambda data: data["results"][0]["requirement"].update(alive_for="2m"),
        lambda data: data["results"][0]["timelines"][0]["events"].append([1.0, "exploded", 0.0]),
        lambda data: data["results"][0]["timelines"][0]["events"].append([1.0, "frame", "sent"]),
        lambda data: data["results"][0].update(line=0),
    ],
)
def test_what_is_not_as_described_is_found(change):
    """The schema is no empty promise."""
    data = json.loads(json_file.render(RUNS["some"]))
    change(data)

    assert not jsonschema.Draft202012Validator(PUBLISHED).is_valid(data)


def test_readers_of_this_schema_read_what_is_added_later():
    """Properties may be added without a new number."""
    data = json.loads(json_file.render(RUNS["some"]))
    data["results"][0]["verdict"]["later"] = 1

    assert jsonschema.Draft202012Validator(PUBLISHED).is_valid(data)
    assert not jsonschema.Draft202012Validator(STRICT).is_valid(data)


@pytest.mark.parametrize(
    ("name", "kind", "more"),
    [
        ("requirement", Requirement, set()),
        ("verdict", Verdict, {"headline"}),
        ("violation", Violation, set()),
        ("doubt", Doubt, set()),
        ("diagnosis", Diagnosis, set()),
        ("evidence", Evidence, set()),
        ("close", CloseEvidence, set()),
        ("close_frame", CloseFrame, set()),
        ("tcp_sample", TcpSample, set()),
        ("fleet", FleetSummary, set()),
        ("fleet_count", FleetCount, set()),
        ("fleet_worker", WorkerSummary, set()),
        ("fleet_group", GroupSummary, set()),
        ("shared", SharedFeature, set()),
        ("end_events", EndEvents, set()),
        ("curve_point", CurvePoint, set()),
        ("stretch", Stretch, set()),
        ("fleet_record", FleetRecord, set()),
        ("fleet_returns", ReturnSummary, set()),
        ("fleet_fanout", FanoutSummary, set()),
        ("quantile", Quantile, set()),
        ("call", CallSummary, set()),
        ("turn", Turn, set()),
        ("underrun", Underrun, set()),
    ],
)
def test_each_field_is_described(name, kind, more):
    """A new field needs a line in the schema, too."""
    assert set(DEFS[name]["properties"]) == {field.name for field in dataclasses.fields(kind)} | more


def test_hypotheses_are_described():
    """They stand inside the diagnosis."""
    inner = DEFS["diagnosis"]["properties"]["hypotheses"]["items"]["properties"]

    assert set(inner) == {field.name for field in dataclasses.fields(Hypothesis)}


def test_the_words_of_events_are_all_there():
    """Kinds, faults, opcodes and roles."""
    frame, fault, local = DEFS["event"]["anyOf"]

    assert set(local["prefixItems"][1]["enum"]) | {"frame", "fault"} == {
        kind.name.lower() for kind in EventKind
    }
    assert fault["prefixItems"][2]["enum"] == [name.value for name in FaultName]
    assert set(frame["prefixItems"][3]["enum"]) | {"none"} == {opcode.name.lower() for opcode in Opcode}
    assert set(frame["prefixItems"][5]["enum"]) == {role.name.lower() for role in Role}


def test_the_documentation_names_what_is_there():
    """Every path in its table leads somewhere."""
    page = (Path(__file__).parents[2] / "docs/report-schema.md").read_text()
    paths = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    data = json.loads(json_file.render(RUNS["told"]))

    assert len(paths) == 12
    for path in paths:
        found = data
        for step in path.replace("[]", "[0]").replace("[", ".").replace("]", "").split("."):
            found = found[int(step)] if step.isdigit() else found[step]
