"""A user's program: two INSERTs from one table, in a statement set."""

import sys

from pyflink.table import EnvironmentSettings, TableEnvironment

output, numbers = sys.argv[1], int(sys.argv[2])
tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
tables.execute_sql(
    f"""
    CREATE TABLE numbers (
      number BIGINT,
      moment AS TO_TIMESTAMP_LTZ(number, 0),
      WATERMARK FOR moment AS moment
    ) WITH (
      'connector' = 'datagen', 'rows-per-second' = '1000',
      'fields.number.kind' = 'sequence', 'fields.number.start' = '0', 'fields.number.end' = '{numbers - 1}'
    )"""
)
tables.execute_sql(
    f"""
    CREATE TABLE row_files (moment TIMESTAMP_LTZ(3), number BIGINT, kind STRING)
    WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '{output}rows')"""
)
tables.execute_sql(
    f"""
    CREATE TABLE window_files (until TIMESTAMP_LTZ(3), numbers BIGINT)
    WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '{output}windows')"""
)
statements = tables.create_statement_set()
statements.add_insert_sql(
    "INSERT INTO row_files SELECT moment, number, IF(number % 2 = 0, 'even', 'odd') FROM numbers"
)
statements.add_insert_sql(
    """
    INSERT INTO window_files SELECT window_time, COUNT(*)
    FROM TABLE(TUMBLE(TABLE numbers, DESCRIPTOR(moment), INTERVAL '50' SECOND))
    GROUP BY window_start, window_end, window_time"""
)
statements.execute().wait()
