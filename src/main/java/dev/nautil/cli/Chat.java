package dev.nautil.cli;

import dev.nautil.Model;
import dev.nautil.NautilException;
import dev.nautil.Session;
import dev.nautil.SessionOptions;
import java.io.IOException;

/** A conversation: messages in, answers out, until the user has had enough. */
final class Chat {
  private static final String HELP =
      """
      /clear    starts a new conversation
      /bye      leaves; Ctrl-D does, too
      /?        shows this
      \"""      begins and ends a message of several lines
      Ctrl-C    stops an answer
      """;

  private final Io io;
  private final Model model;
  private final SessionOptions options;
  private final Answers answers;
  private final ChatInput input;
  private Session session;

  Chat(Io io, Model model, SessionOptions options, Answers answers, ChatInput input) {
    this.io = io;
    this.model = model;
    this.options = options;
    this.answers = answers;
    this.input = input;
    session = model.newSession(options);
  }

  /** Returns the exit code. */
  int run() throws IOException {
    for (String text = input.read(); text != null; text = input.read()) {
      if (text.equals("/bye")) {
        return 0;
      }
      if (text.matches("/[a-z]*|/\\?")) {
        command(text);
      } else if (!text.isEmpty()) {
        answer(text);
      }
    }
    return 0;
  }

  private void command(String name) {
    switch (name) {
      case "/?", "/help" -> io.err().print(HELP);
      case "/clear" -> session = model.newSession(options);
      default -> io.err().println("there is no command " + name + "; /? lists them");
    }
  }

  private void answer(String text) {
    try {
      answers.print(session.stream(text));
    } catch (NautilException e) {
      io.err().println(io.errorColour("nautil:") + " " + e.getMessage());
      if (e instanceof dev.nautil.ContextFullException) {
        io.err().println("/clear starts a new conversation");
      }
    }
  }
}
