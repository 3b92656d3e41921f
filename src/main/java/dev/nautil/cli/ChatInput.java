package dev.nautil.cli;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Where a chat's messages and commands come from. */
interface ChatInput extends AutoCloseable {
  String QUOTES = "\"\"\"";

  /** The next message or command, without the quotes of several lines; null at the end. */
  @Nullable String read() throws IOException;

  @Override
  default void close() throws IOException {}

  /** Whether a text begins a message of several lines that has not ended. */
  static boolean isUnfinished(String text) {
    String start = text.stripLeading();
    return start.startsWith(QUOTES) && start.indexOf(QUOTES, QUOTES.length()) < 0;
  }

  /** A message without its quotes. */
  static String unquote(String text) {
    String message = text.strip();
    if (!message.startsWith(QUOTES)) {
      return message;
    }
    int end = message.indexOf(QUOTES, QUOTES.length());
    return message.substring(QUOTES.length(), end < 0 ? message.length() : end).strip();
  }

  /** Where a user's messages come from: an editor where there is a terminal to edit in. */
  static ChatInput open(Io io, Answers answers) {
    ChatInput editor = io.terminals().out() ? TerminalInput.tryToOpen(io, answers) : null;
    return editor != null
        ? editor
        : new LineInput(io.reader(), io.terminals().err() ? io.err() : null);
  }
}
