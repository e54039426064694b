import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * A job for the client's tests: counts, at about 200 records a second, with the number as event time.
 *
 * <p>Arguments: the job's name; the record at which it fails (-1: never); how many milliseconds the snapshot of its
 * state takes.
 */
public class PacedJob {
    public static void main(String[] args) throws Exception {
        String name = args[0];
        long failAt = Long.parseLong(args[1]);
        long snapshotMillis = Long.parseLong(args[2]);
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.fromSequence(1, Long.MAX_VALUE)
                .assignTimestampsAndWatermarks(
                        WatermarkStrategy.<Long>forMonotonousTimestamps().withTimestampAssigner((value, ts) -> value))
                .uid("source")
                .map(new Step(failAt, snapshotMillis)).uid("step").name("step")
                .sinkTo(new DiscardingSink<>()).uid("sink").disableChaining();
        env.execute(name);
    }

    public static class Step implements MapFunction<Long, Long>, CheckpointedFunction {
        private final long failAt;
        private final long snapshotMillis;

        public Step(long failAt, long snapshotMillis) {
            this.failAt = failAt;
            this.snapshotMillis = snapshotMillis;
        }

        @Override
        public Long map(Long value) throws Exception {
            if (value == failAt) {
                throw new IllegalStateException("record " + value + " is one too many");
            }
            Thread.sleep(5);
            return value;
        }

        @Override
        public void snapshotState(FunctionSnapshotContext context) throws Exception {
            Thread.sleep(snapshotMillis);
        }

        @Override
        public void initializeState(FunctionInitializationContext context) {}
    }
}
