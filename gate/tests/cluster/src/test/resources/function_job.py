"""A user's program: functions in Python before a sink, one of them with state."""

import sys

from pyflink.common import Encoder, Types, WatermarkStrategy
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import FileSink
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.state import ValueStateDescriptor

output, numbers = sys.argv[1], int(sys.argv[2])


class NumberIsTime(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value


class Count(KeyedProcessFunction):
    def open(self, runtime_context: RuntimeContext):
        self.count = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))

    def process_element(self, value, ctx):
        count = (self.count.value() or 0) + 1
        self.count.update(count)
        yield f"number {value} is the {count}. of its key"


environment = StreamExecutionEnvironment.get_execution_environment()
(
    environment.from_source(
        NumberSequenceSource(0, numbers - 1), WatermarkStrategy.no_watermarks(), "numbers", Types.LONG()
    )
    .map(lambda number: number, output_type=Types.LONG())
    .assign_timestamps_and_watermarks(
        WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(NumberIsTime())
    )
    .key_by(lambda number: number % 7, key_type=Types.LONG())
    .process(Count(), output_type=Types.STRING())
    .sink_to(FileSink.for_row_format(output + "lines", Encoder.simple_string_encoder()).build())
    .name("lines")
)
environment.execute("functions")
