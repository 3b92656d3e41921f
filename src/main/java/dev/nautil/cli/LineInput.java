package dev.nautil.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import org.jspecify.annotations.Nullable;

/** A chat's messages, a line each, without an editor. */
final class LineInput implements ChatInput {
  private final BufferedReader reader;
  private final @Nullable PrintStream prompts;

  /**
   * @param prompts shows that a message is awaited; null if nobody is there to see it
   */
  LineInput(BufferedReader reader, @Nullable PrintStream prompts) {
    this.reader = reader;
    this.prompts = prompts;
  }

  @Override
  public @Nullable String read() throws IOException {
    prompt(">>> ");
    String text = reader.readLine();
    while (text != null && ChatInput.isUnfinished(text)) {
      prompt("... ");
      String line = reader.readLine();
      if (line == null) {
        break;
      }
      text += "\n" + line;
    }
    return text == null ? null : ChatInput.unquote(text);
  }

  private void prompt(String text) {
    if (prompts != null) {
      prompts.print(text);
    }
  }
}
