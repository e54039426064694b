package io.github.sluiceflink.gate.handover;

import com.google.auto.value.AutoValue;
import java.io.Serializable;

/** What gates count, in records unless it says otherwise. */
@AutoValue
public abstract class Figures implements Serializable {

  /** Nothing was counted. */
  public static final Figures NONE = builder().build();

  Figures() {}

  public static Builder builder() {
    return new AutoValue_Figures.Builder()
        .emitted(0)
        .dropped(0)
        .kept(0)
        .keptBytes(0)
        .late(0)
        .untimed(0)
        .offClock(0);
  }

  /** Handed on to the sinks. */
  public abstract long emitted();

  /** Left to the other job. */
  public abstract long dropped();

  /** Kept at present. */
  public abstract long kept();

  /** Kept at present, in bytes. */
  public abstract long keptBytes();

  /** Below the cut and behind the watermark. */
  public abstract long late();

  /** Without a timestamp. */
  public abstract long untimed();

  /** With a timestamp on another clock than the watermark. */
  public abstract long offClock();

  /** Both together. */
  final Figures plus(Figures other) {
    return builder()
        .emitted(Counts.plus(emitted(), other.emitted()))
        .dropped(Counts.plus(dropped(), other.dropped()))
        .kept(Counts.plus(kept(), other.kept()))
        .keptBytes(Counts.plus(keptBytes(), other.keptBytes()))
        .late(Counts.plus(late(), other.late()))
        .untimed(Counts.plus(untimed(), other.untimed()))
        .offClock(Counts.plus(offClock(), other.offClock()))
        .build();
  }

  /** Collects figures. */
  @AutoValue.Builder
  public abstract static class Builder {
    public abstract Builder emitted(long records);

    public abstract Builder dropped(long records);

    public abstract Builder kept(long records);

    public abstract Builder keptBytes(long bytes);

    public abstract Builder late(long records);

    public abstract Builder untimed(long records);

    public abstract Builder offClock(long records);

    public abstract Figures build();
  }
}
