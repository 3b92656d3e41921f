package dev.nautil.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import org.jspecify.annotations.Nullable;

/** What came in on standard input where that is no terminal. */
record PipedInput(String text) {

  static PipedInput read(Io io) throws IOException {
    StringWriter text = new StringWriter();
    io.pipedReader().transferTo(text);
    return new PipedInput(text.toString());
  }

  /** Whether it is lines for a chat, which a line /bye tells, and not one text. */
  boolean isChat() {
    return text.lines().anyMatch(line -> line.strip().equals("/bye"));
  }

  ChatInput lines() {
    return new LineInput(new BufferedReader(new StringReader(text)), null);
  }

  /**
   * The prompt with the text behind it.
   *
   * @param raw whether it is text to continue, and so joined without a paragraph between
   * @return null if there is neither
   */
  @Nullable String appendTo(@Nullable String prompt, boolean raw) {
    if (raw) {
      String joined = (prompt == null ? "" : prompt) + text;
      return joined.isEmpty() ? null : joined;
    }
    if (text.isBlank()) {
      return prompt;
    }
    return prompt == null ? text.stripTrailing() : prompt + "\n\n" + text.stripTrailing();
  }
}
