"""Writes Delta tables on S3 with Spark. The first argument says how its log is written: `conditional` (by the log store
of this folder, with If-None-Match) or `plain` (as Spark comes). With statements as further arguments these are run, and
it ends; without, it answers requests: `{"sql": …}`, `{"read": path}` or `{"overwrite": path, "version": n}`."""
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "readers"))
from serve_requests import serve, take_stdout

ANSWERS = take_stdout()

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from canonical_rows import table_rows
from pyspark.sql import SparkSession

READERS = Path(sys.prefix).parent
ATTEMPTS_MAX = 30
# What Delta calls a race that it lost; another try may win it.
LOST_RACES = ("DELTA_CONCURRENT", "ConcurrentModification", "DELTA_MAX_COMMIT_RETRIES", "FileAlreadyExists")

SETTINGS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.driver.extraClassPath": f"{READERS}/jars/*:{READERS}/foreign/*",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Duser.timezone=UTC",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.log.level": "ERROR",
    "spark.hadoop.fs.s3a.endpoint": os.environ["AWS_ENDPOINT_URL"],
    "spark.hadoop.fs.s3a.endpoint.region": os.environ["AWS_REGION"],
    "spark.hadoop.fs.s3a.path.style.access": "true",
    "spark.hadoop.fs.s3a.access.key": os.environ["AWS_ACCESS_KEY_ID"],
    "spark.hadoop.fs.s3a.secret.key": os.environ["AWS_SECRET_ACCESS_KEY"],
    "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
}


def start_spark(log_store):
    builder = SparkSession.builder.master("local[1]").appName("alluvium-e2e-foreign")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    if log_store == "conditional":
        builder = builder.config("spark.delta.logStore.s3a.impl", "ConditionalPutLogStore")
    return builder.getOrCreate()


SPARK = start_spark(sys.argv[1])


def run(statement):
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            SPARK.sql(statement).collect()
            return {"attempts": attempt}
        except Exception as error:
            if attempt == ATTEMPTS_MAX or not any(word in str(error) for word in LOST_RACES):
                raise
            time.sleep(0.1)


def read(path):
    columns, rows = table_rows(SPARK.read.format("delta").load(path).toArrow())
    return {"columns": columns, "rows": rows}


def overwrite(path, version):
    """What happens when plain Spark and another writer commit at the same moment: the later one's entry stays."""
    jvm = SPARK._jvm
    log = jvm.org.apache.spark.sql.delta.DeltaLog.forTable(SPARK._jsparkSession, path)
    entry = jvm.org.apache.hadoop.fs.Path(f"{path}/_delta_log/{version:020d}.json")
    info = {"commitInfo": {"timestamp": int(time.time() * 1000), "operation": "WRITE", "engineInfo": "plain Spark"}}
    actions = jvm.scala.jdk.javaapi.CollectionConverters.asScala(jvm.java.util.List.of(json.dumps(info)).iterator())
    log.store().write(entry, actions, True, log.newDeltaHadoopConf())
    return {}


def answer(request):
    if "sql" in request:
        return run(request["sql"])
    if "read" in request:
        return read(request["read"])
    return overwrite(request["overwrite"], request["version"])


if len(sys.argv) > 2:
    for statement in sys.argv[2:]:
        run(statement)
else:
    serve(ANSWERS, answer)
