"""Spark with Delta Lake: MERGE with deletion vectors and change data feed on. Its environment is that of `make e2e`."""
import argparse
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from contestant import serve
from pyspark.sql import SparkSession

COLUMNS = {
    "id": "bigint not null",
    "customer": "string",
    "status": "string",
    "amount": "decimal(12,2)",
    "qty": "int",
    "note": "string",
    "updated_at": "timestamp",
    "flag": "boolean",
}
PROPERTIES = "'delta.enableChangeDataFeed' = 'true', 'delta.enableDeletionVectors' = 'true'"


def start_spark(jars, scratch):
    settings = {
        "spark.jars": ",".join(str(jar) for jar in sorted(jars.glob("*.jar"))),
        "spark.driver.memory": "8g",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.master("local[2]").appName("bench")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def lay_base(spark, base, table):
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    spark.sql(f"create table delta.`{table}` ({columns}) using delta tblproperties ({PROPERTIES})")
    spark.read.parquet(f"{base}/base").write.format("delta").mode("append").save(table)


def merge_into(spark, table):
    sets = ", ".join(f"t.{name} = s.{name}" for name in COLUMNS)
    names = ", ".join(COLUMNS)
    values = ", ".join(f"s.{name}" for name in COLUMNS)

    def apply(batch):
        spark.read.parquet(batch).drop("seq").createOrReplaceTempView("s")
        spark.sql(
            f"merge into delta.`{table}` t using s on t.id = s.id when matched and s.op = 'd' then delete "
            f"when matched then update set {sets} "
            f"when not matched and s.op <> 'd' then insert ({names}) values ({values})"
        )

    return apply


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True)
    parser.add_argument("--jars", type=Path, required=True)
    parser.add_argument("--base", type=Path, help="lay these rows down; in a process of its own, so that memory is of batches")
    parser.add_argument("--data", type=Path, help="take batches from here")
    args = parser.parse_args()
    scratch = Path(f"{args.table}.scratch")
    spark = start_spark(args.jars, scratch)
    if args.base is not None:
        lay_base(spark, args.base, args.table)
    else:
        serve(args.table, lambda index: f"{args.data}/net/b{index:05d}.parquet", merge_into(spark, args.table))
    spark.stop()
    shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
