"""Reads Delta tables with Spark, the reference. Its jars stand beside the environment this runs in (`install.sh`)."""
import json
import os
import sys
import tempfile
from pathlib import Path

from serve_requests import serve, take_stdout

ANSWERS = take_stdout()

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
os.environ["TZ"] = "UTC"

from canonical_rows import table_rows
from pyspark.sql import SparkSession

SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    # One small machine, small tables: no page, one partition, no compiled stages.
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Duser.timezone=UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.warehouse.dir": os.path.join(tempfile.gettempdir(), "alluvium-e2e-warehouse"),
    "spark.log.level": "ERROR",
}


def start_spark():
    jars = sorted(str(jar) for jar in (Path(sys.prefix).parent / "jars").glob("*.jar"))
    builder = SparkSession.builder.master("local[1]").appName("alluvium-e2e").config("spark.jars", ",".join(jars))
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


SPARK = start_spark()


def newest_version(path):
    # Not by `describe history`: that one fails on a commitInfo it cannot parse.
    log = SPARK._jvm.org.apache.spark.sql.delta.DeltaLog.forTable(SPARK._jsparkSession, path)
    return log.update(False, SPARK._jvm.scala.Option.empty(), SPARK._jvm.scala.Option.empty()).version()


def load(request, path):
    reader = SPARK.read.format("delta")
    if "changesFrom" in request:
        changes = reader.option("readChangeFeed", "true").option("startingVersion", request["changesFrom"])
        return changes.load(path).drop("_commit_timestamp")
    if request.get("version") is not None:
        reader = reader.option("versionAsOf", request["version"])
    return reader.load(path)


def read(request):
    path = os.path.abspath(request["table"])
    detail = SPARK.sql(f"describe detail delta.`{path}`").collect()[0]
    frame = load(request, path)
    out = {
        "version": newest_version(path) if request.get("version") is None else request["version"],
        "protocol": {
            "minReaderVersion": detail.minReaderVersion,
            "minWriterVersion": detail.minWriterVersion,
            "features": sorted(detail.tableFeatures),
        },
        "schema": json.loads(frame.schema.json()),
        "configuration": detail.properties,
    }
    if request.get("count"):
        return {**out, "count": frame.count()}
    found = frame.toArrow()
    out["columns"], out["rows"] = table_rows(found)
    return {**out, "count": found.num_rows}


serve(ANSWERS, read)
