package io.github.sluiceflink.gate.bench;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.datagen.source.GeneratorFunction;

/** The kinds of records. */
public enum Records {
  /** Numbers, in a job that uses objects again. */
  LONG_REUSED(true, Long.class, number -> number),
  /** Objects of three fields, in a job that copies them from operator to operator. */
  POJO_COPIED(false, Reading.class, Reading::new);

  /** Whether the job uses objects again. */
  final boolean reused;

  private final Class<?> type;
  private final Make make;

  Records(boolean reused, Class<?> type, Make make) {
    this.reused = reused;
    this.type = type;
    this.make = make;
  }

  TypeInformation<Object> type() {
    @SuppressWarnings("unchecked")
    TypeInformation<Object> information = (TypeInformation<Object>) TypeInformation.of(type);
    return information;
  }

  GeneratorFunction<Long, Object> source() {
    return new Metered(this);
  }

  /** Makes a record. */
  private interface Make {
    Object of(long number);
  }

  /** Makes records as far as the turnstile lets it. */
  private static final class Metered implements GeneratorFunction<Long, Object> {

    private static final long serialVersionUID = 1L;

    private final Records records;
    private transient long allowed;

    Metered(Records records) {
      this.records = records;
    }

    @Override
    public Object map(Long number) throws InterruptedException {
      if (number >= allowed) {
        allowed = Turnstile.await(number);
      }
      return records.make.of(number);
    }
  }
}
