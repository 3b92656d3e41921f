package dev.nautil.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/** A chat's messages from a line editor with a history. */
final class TerminalInput implements ChatInput {
  private final Io io;
  private final Terminal terminal;
  private final LineReader reader;

  private TerminalInput(Io io, Terminal terminal, Answers answers) {
    this.io = io;
    this.terminal = terminal;
    LineReaderBuilder builder =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .appName("nautil")
            .parser(new MessageParser())
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
            .option(LineReader.Option.INSERT_TAB, true)
            .variable(LineReader.SECONDARY_PROMPT_PATTERN, "... ");
    Path history = StateFolder.file(io, "chat_history");
    if (history != null) {
      builder.variable(LineReader.HISTORY_FILE, history);
    }
    reader = builder.build();
    terminal.handle(Terminal.Signal.INT, signal -> answers.stop());
  }

  /** Null where the terminal is of a kind that cannot be edited in. */
  static @Nullable TerminalInput tryToOpen(Io io, Answers answers) {
    try {
      Terminal terminal =
          TerminalBuilder.builder()
              .system(true)
              .dumb(false)
              .encoding(StandardCharsets.UTF_8)
              .nativeSignals(true)
              .build();
      return new TerminalInput(io, terminal, answers);
    } catch (IOException | IllegalStateException | LinkageError e) {
      return null;
    }
  }

  @Override
  public @Nullable String read() {
    boolean interrupted = false;
    while (true) {
      try {
        return ChatInput.unquote(reader.readLine(">>> "));
      } catch (EndOfFileException e) {
        return null;
      } catch (UserInterruptException e) {
        boolean empty = e.getPartialLine().isEmpty();
        if (interrupted && empty) {
          return null;
        }
        interrupted = empty;
        if (empty) {
          io.err().println("(Ctrl-C again or /bye to leave)");
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    terminal.close();
  }

  /** A message is a line, or lines between quotes. */
  private static final class MessageParser implements Parser {
    @Override
    public ParsedLine parse(String line, int cursor, ParseContext context) {
      if (context == ParseContext.ACCEPT_LINE && ChatInput.isUnfinished(line)) {
        throw new EOFError(-1, -1, "quotes are open");
      }
      return new Message(line, cursor);
    }
  }

  /** The whole line as one word: there is nothing to complete. */
  private record Message(String line, int cursor) implements CompletingParsedLine {
    @Override
    public String word() {
      return line;
    }

    @Override
    public int wordCursor() {
      return cursor;
    }

    @Override
    public int wordIndex() {
      return 0;
    }

    @Override
    public List<String> words() {
      return List.of(line);
    }

    @Override
    public CharSequence escape(CharSequence candidate, boolean complete) {
      return candidate;
    }

    @Override
    public int rawWordCursor() {
      return cursor;
    }

    @Override
    public int rawWordLength() {
      return line.length();
    }
  }
}
