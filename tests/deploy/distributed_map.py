"""What Distributed Map has on AWS and moto 5.2's interpreter of state machines (LocalStack's) lacks; `teach` adds it.

Added, as AWS's Developer Guide describes it: ItemBatcher, ItemSelector before it, InputType JSONL and MANIFEST (an S3 Inventory in
CSV), listings over 1,000 objects with their `Etag`, counts by item, result files with WriterConfig COMPACT in JSON Lines beside the
manifest, and a run that fails, after it has written them, where more than the tolerated share of its items failed.

What it does not show of AWS: permissions; the limits of payloads, of time and of concurrency, and so what becomes of a batch over
them; EXPRESS executions (they run as standard ones); the pace; redriving; Parquet and ORC inventories; PENDING files; how an
inventory's keys arrive. The reading of AWS's rules in it is ours.
"""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from functools import partial, partialmethod
from typing import Any

from jsonpath_ng import parse as jsonpath
from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType, MapRunStatus
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval.resource_eval_s3 import (
    ResourceEvalS3 as Reader,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import distributed_iteration_component
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.itemprocessor.distributed_item_processor_worker import (
    DistributedItemProcessorWorker as Worker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job import JobPool
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval.resource_eval_s3 import (
    ResourceEvalS3 as Writer,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramError
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser as Parser
from moto.stepfunctions.parser.models import StepFunctionsParserBackend as Backend

Json = dict[str, Any]

TAKEN: dict[str, Json] = {}  # by the name of a Map state: the fields that moto's grammar does not know
CHILDREN: dict[
    str, list[Json]
] = {}  # by map run: Input, Status, and Output or Error and Cause, of each child execution
EXCEEDED = "States.ExceedToleratedFailureThreshold"


def teach() -> None:
    Backend.list_map_runs = partialmethod(_list_map_runs, Backend.list_map_runs)
    Parser.parse = staticmethod(partial(_parse, Parser.parse))
    Reader._handle_get_object = staticmethod(_read_object)
    Reader._handle_list_objects_v2 = staticmethod(_list_objects)
    distributed_iteration_component.DistributedIterationComponent._map_run = _map_run
    Worker._eval_job = _eval_child
    Writer._handle_put_object = staticmethod(_write_results)


def _list_map_runs(self: Any, original: Any, execution_arn: str) -> Json:
    """moto answers 500 while the execution's thread begins."""
    worker = self.describe_execution(execution_arn=execution_arn).exec_worker
    found: Json = original(self, execution_arn) if worker and worker.env else {"mapRuns": []}
    return found


def _parse(original: Any, definition: str) -> Any:
    program = json.loads(definition)
    for name, state in program["States"].items():
        if state["Type"] == "Map":
            TAKEN[name] = {field: state.pop(field) for field in ("ItemBatcher", "ItemSelector") if field in state}
            state["ResultWriter"].pop("WriterConfig")
            state["ToleratedFailurePercentage"] = float(state["ToleratedFailurePercentage"])  # it knows 1.0, not 1
            state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "STANDARD"
            reader = state["ItemReader"].get("ReaderConfig", {})
            if reader.get("InputType") in ("JSONL", "MANIFEST"):
                reader["InputType"] = "JSON"  # which _read_object makes of it
    return original(json.dumps(program))


def _read_object(env: Any, runtime: Any, credentials: Any) -> None:
    client, where = Reader._get_s3_client(runtime, credentials), env.stack.pop()
    text = client.get_object(**where)["Body"].read().decode()
    if where["Key"].endswith("manifest.json"):
        text = json.dumps(list(_inventory(client, json.loads(text))))
    elif where["Key"].endswith(".jsonl"):
        text = json.dumps([json.loads(line) for line in text.splitlines()])
    env.stack.append(text)


def _inventory(client: Any, manifest: Json) -> Iterator[Json]:
    columns = [name.strip() for name in manifest["fileSchema"].split(",")]
    for file in manifest["files"]:
        body = client.get_object(Bucket=manifest["destinationBucket"].rpartition(":")[2], Key=file["key"])[
            "Body"
        ].read()
        for row in csv.reader(io.StringIO(gzip.decompress(body).decode())):
            yield dict(zip(columns, row, strict=True))


def _list_objects(env: Any, runtime: Any, credentials: Any) -> None:
    pages = Reader._get_s3_client(runtime, credentials).get_paginator("list_objects_v2").paginate(**env.stack.pop())
    found = [entry for page in pages for entry in page.get("Contents", [])]
    env.stack.append([{"Etag": entry["ETag"], "Key": entry["Key"], "Size": entry["Size"]} for entry in found])


def _map_run(self: Any, env: Any, eval_input: Any) -> None:
    taken, given, items = TAKEN[eval_input.state_name], env.states.get_input(), env.stack.pop()
    if "ItemSelector" in taken:
        items = [_filled(taken["ItemSelector"], {"Map": {"Item": {"Value": item}}}) for item in items]
    size, common = taken["ItemBatcher"]["MaxItemsPerBatch"], _filled(taken["ItemBatcher"]["BatchInput"], given)
    batches = [{"BatchInput": common, "Items": items[i : i + size]} for i in range(0, len(items), size)]
    record = eval_input.map_run_record
    record.item_counter.total.offset(len(items))
    pool = JobPool(job_program=self._get_iteration_program(), job_inputs=batches)
    for _ in range(min(len(batches), 4)):
        self._launch_worker(env=env, eval_input=eval_input, job_pool=pool)
    if batches:
        pool.await_jobs()
    CHILDREN[record.map_run_arn] = [job.job_output for job in pool.get_closed_jobs()]
    env.stack.append([])


def _filled(template: Json, value: Json) -> Json:
    """Replace the paths of a payload template; `$$` is the context."""
    found = {name: jsonpath(path.replace("$$", "$")).find(value)[0].value for name, path in template.items()}
    return {name.removesuffix(".$"): value for name, value in found.items()}


def _eval_child(self: Any, env: Any, job: Any) -> None:
    """One child execution: its program, to its end or to the error that nothing caught."""
    counts, size = self._map_run_record.item_counter, len(job.job_input["Items"])
    counts.running.offset(size)
    env.states.reset(job.job_input)
    job.job_program.eval(env)
    state, child = env.program_state(), {"Input": json.dumps(job.job_input)}
    if isinstance(state, ProgramError):
        child |= {"Status": "FAILED", "Error": state.error.get("error"), "Cause": state.error.get("cause")}
    else:
        child |= {"Status": "SUCCEEDED", "Output": json.dumps(env.states.get_input())}
    (counts.failed if isinstance(state, ProgramError) else counts.succeeded).offset(size)
    counts.running.offset(-size)
    job.job_output = child


def _write_results(env: Any, runtime: Any, credentials: Any) -> None:
    """COMPACT: the outputs of what succeeded; of what failed, all that is known (as if it were NONE)."""
    where, _ = env.stack.pop(), env.stack.pop()
    record = env.map_run_record_pool_manager.get_all()[-1]
    client, folder = (
        Writer._get_s3_client(runtime, credentials),
        f"{where['Prefix']}/{record.map_run_arn.split(':')[-1]}",
    )
    files: dict[str, list[Json]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for status in ("SUCCEEDED", "FAILED"):
        found = [child for child in CHILDREN[record.map_run_arn] if child["Status"] == status]
        lines = [child["Output"] if status == "SUCCEEDED" else json.dumps(child) for child in found]
        if lines:
            key, body = f"{folder}/{status}_0.jsonl", "\n".join(lines).encode()
            client.put_object(Bucket=where["Bucket"], Key=key, Body=body)
            files[status].append({"Key": key, "Size": len(body)})
    manifest = {"DestinationBucket": where["Bucket"], "MapRunArn": record.map_run_arn, "ResultFiles": files}
    key = f"{folder}/manifest.json"
    client.put_object(Bucket=where["Bucket"], Key=key, Body=json.dumps(manifest).encode())
    _fail_beyond_what_is_tolerated(env, record)
    details = {"Bucket": where["Bucket"], "Key": key}
    env.stack.append({"MapRunArn": record.map_run_arn, "ResultWriterDetails": details})


def _fail_beyond_what_is_tolerated(env: Any, record: Any) -> None:
    failed, total = record.item_counter.failed.get(), record.item_counter.total.get()
    if 100 * failed <= record.tolerated_failure_percentage * total:
        return
    record.set_stop(status=MapRunStatus.FAILED)
    cause = f"{failed} of {total} items failed"
    details = EventDetails(executionFailedEventDetails=ExecutionFailedEventDetails(error=EXCEEDED, cause=cause))
    name = CustomErrorName(error_name=EXCEEDED)
    raise FailureEventException(
        FailureEvent(env=env, error_name=name, event_type=HistoryEventType.ExecutionFailed, event_details=details)
    )
