package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import org.junit.jupiter.api.Test;

class ChatInputTest {
  private static ChatInput lines(String text) {
    return new LineInput(new BufferedReader(new StringReader(text)), null);
  }

  @Test
  void readsLinesAndBlocks() throws IOException {
    ChatInput input =
        lines("one\n\"\"\"two\n\n three\"\"\"\n\"\"\"four\"\"\"\n\"\"\"\nfive\n\"\"\"\n/bye");
    for (String expected : new String[] {"one", "two\n\n three", "four", "five", "/bye"}) {
      assertEquals(expected, input.read());
    }
    assertNull(input.read());
  }

  @Test
  void endsABlockThatIsNeverClosed() throws IOException {
    ChatInput input = lines("\"\"\"one\ntwo");
    assertEquals("one\ntwo", input.read());
    assertNull(input.read());
  }
}
