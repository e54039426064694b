package io.github.sluiceflink.gate.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.sluiceflink.gate.handover.AbortReason;
import io.github.sluiceflink.gate.handover.Change;
import io.github.sluiceflink.gate.handover.Color;
import io.github.sluiceflink.gate.handover.HandoverRecord;
import io.github.sluiceflink.gate.handover.Job;
import io.github.sluiceflink.gate.handover.Phase;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileRecordStoreTest {

  @TempDir Path directory;

  @Test
  void isToldOfWhatIsThereAndOfEveryChange() throws Exception {
    BlockingQueue<String> told = new LinkedBlockingQueue<>();
    try (RecordStore store = RecordPlace.directory(directory.toString()).open()) {
      store.watch(
          new RecordStore.Listener() {
            @Override
            public void onRead(long version, HandoverRecord handover) {
              told.add(version + " " + handover.phase().name());
            }

            @Override
            public void onAbsent() {
              told.add("absent");
            }

            @Override
            public void onTrouble(String sentence) {
              told.add(sentence);
            }
          });
      assertEquals("absent", told.poll(10, TimeUnit.SECONDS));
      HandoverRecord prepare =
          HandoverRecord.builder()
              .epoch(3)
              .phase(Phase.prepare(45))
              .active(Job.of(Color.BLUE, 2))
              .build();
      assertEquals(1, store.put(0, prepare).get());
      assertEquals("1 PREPARE", told.poll(10, TimeUnit.SECONDS));
      Change abort = Change.abort(AbortReason.noWatermark());
      assertEquals(2, store.write(1, prepare, Color.BLUE, abort).get());
      assertEquals("2 ABORT", told.poll(10, TimeUnit.SECONDS));
      ExecutionException refused =
          assertThrows(
              ExecutionException.class, () -> store.write(1, prepare, Color.BLUE, abort).get());
      assertInstanceOf(WriteRefusedException.class, refused.getCause());
    }
  }
}
