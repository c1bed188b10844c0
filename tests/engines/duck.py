"""Reads a history folder by DuckDB, as docs/history.md says, and prints sums as JSON: duck.py HISTORY"""

import json
import sys

import duckdb


def main():
    history = sys.argv[1]
    answers = {}
    for table in ("flows", "buckets"):
        rows = duckdb.sql(
            f"SELECT sensor, CAST(sum(packets) AS BIGINT), CAST(sum(bytes) AS BIGINT) "
            f"FROM read_parquet('{history}/{table}/*/*/*/*.parquet', hive_partitioning = true) "
            "GROUP BY sensor ORDER BY sensor"
        ).fetchall()
        answers[table] = [{"sensor": sensor, "p": packets, "b": size} for sensor, packets, size in rows]
    codecs = duckdb.sql(
        f"SELECT DISTINCT compression FROM parquet_metadata('{history}/flows/*/*/*/*.parquet')"
    ).fetchall()
    answers["compression"] = sorted(codec for (codec,) in codecs)
    print(json.dumps(answers))


main()
