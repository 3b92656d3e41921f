package dev.nautil.cli;

import dev.nautil.Event;
import dev.nautil.FinishReason;
import dev.nautil.Reply;
import dev.nautil.Usage;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Prints replies while they are generated. */
final class Answers {
  private final Io io;
  private final boolean verbose;
  private volatile Reply.@Nullable Stream current;

  Answers(Io io, boolean verbose) {
    this.io = io;
    this.verbose = verbose;
  }

  /** Ends the reply that is being printed, if there is one; for another thread. */
  void stop() {
    Reply.Stream stream = current;
    if (stream != null) {
      stream.close();
    }
  }

  /** Prints a reply to its end and closes it. */
  void print(Reply.Stream stream) {
    current = stream;
    boolean lineOpen = false;
    try (stream;
        ProgressBar bar = new ProgressBar(io, "reading the prompt")) {
      for (Event event : stream) {
        if (event instanceof Event.Prompt prompt) {
          bar.update(prompt.done(), prompt.total());
        } else if (event instanceof Event.Text text) {
          bar.hide();
          io.out().print(text.text());
          io.out().flush();
          lineOpen = !text.text().endsWith("\n");
        } else if (event instanceof Event.Done done) {
          bar.hide();
          end(done.reply(), lineOpen);
        }
      }
    } finally {
      current = null;
    }
  }

  private void end(Reply reply, boolean lineOpen) {
    if (lineOpen || reply.finishReason() == FinishReason.CANCELLED) {
      io.out().println();
    }
    io.out().flush();
    if (reply.finishReason() == FinishReason.CONTEXT_FULL) {
      Usage usage = reply.usage();
      io.err()
          .printf(
              "(the context is full after %d tokens: the answer stops here)%n",
              usage.promptTokens() + usage.replyTokens());
    }
    if (verbose) {
      tell(reply);
    }
  }

  private void tell(Reply reply) {
    Usage usage = reply.usage();
    io.err()
        .printf(
            Locale.ROOT,
            "prompt %d tokens (%d cached), %.1f tok/s; answer %d tokens, %.1f tok/s%n",
            usage.promptTokens(),
            usage.cachedTokens(),
            reply.promptTokensPerSecond(),
            usage.replyTokens(),
            reply.replyTokensPerSecond());
  }
}
