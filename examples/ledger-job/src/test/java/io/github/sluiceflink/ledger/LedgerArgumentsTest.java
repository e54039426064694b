package io.github.sluiceflink.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The command line, right and wrong. */
class LedgerArgumentsTest {
  @Test
  void everythingCanBeGiven() {
    LedgerArguments arguments =
        LedgerArguments.parse(
            "--input",
            "/in",
            "--output",
            "/out",
            "--splits",
            "2",
            "--label",
            "v2",
            "--checkpoint-interval-ms",
            "500",
            "--fail-at-start",
            "--fail-after",
            "9");
    assertEquals(Path.of("/in"), arguments.input());
    assertEquals(Path.of("/out"), arguments.output());
    assertEquals(2, arguments.splits());
    assertEquals("v2", arguments.label());
    assertEquals(500, arguments.checkpointIntervalMillis().orElseThrow());
    assertTrue(arguments.failAtStart());
    assertEquals(9, arguments.failAfter());
  }

  @Test
  void whatIsWrongIsSaid() {
    assertTrue(refusal("--input", "/in").startsWith("The argument --output is missing."));
    assertTrue(refusal("--splits", "0").contains("--splits is \"0\""));
    assertTrue(refusal("--splits").startsWith("The argument --splits has no value."));
    assertTrue(refusal("--colour", "blue").startsWith("There is no argument --colour."));
  }

  @Test
  void theVersionThatCannotStartDoesNotStart() {
    String[] arguments = {"--input", "/in", "--output", "/out", "--fail-at-start"};
    assertThrows(IllegalStateException.class, () -> LedgerJob.main(arguments));
  }

  private static String refusal(String... arguments) {
    return assertThrows(IllegalArgumentException.class, () -> LedgerArguments.parse(arguments))
        .getMessage();
  }
}
