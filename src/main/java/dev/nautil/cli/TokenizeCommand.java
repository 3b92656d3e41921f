package dev.nautil.cli;

import dev.nautil.engine.ChatFormat;
import dev.nautil.engine.Vocabularies;
import dev.nautil.internal.NativeFile;
import dev.nautil.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nautil tokenize}. */
@Command(
    name = "tokenize",
    description = {
      "Reads JSON lines {\"text\"} from standard input and prints {\"ids\"} for each: plain text,"
          + " without BOS and special tokens. A line that cannot be answered gives {\"error\"}."
    },
    sortOptions = false)
final class TokenizeCommand implements Callable<Integer> {
  private final Io io;

  @Mixin private StandardOptions standard;

  @Parameters(paramLabel = "MODEL", description = "A GGUF file; only its tokenizer is read.")
  private String model;

  @Option(
      names = "--chat",
      description =
          "Reads {\"messages\", \"tools\"} and prints {\"prompt\", \"ids\"} by the file's chat"
              + " template.")
  private boolean chat;

  TokenizeCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() throws IOException {
    ModelArgument named = ModelArgument.resolve(io, model);
    try (NativeFile file = NativeFile.open(named.path(), false)) {
      Tokenizer tokenizer = Vocabularies.tokenizer(file);
      if (chat) {
        TextJson.encodeChats(io, ChatFormat.of(file, tokenizer, named.chatTemplate()));
      } else {
        TextJson.encodeTexts(io, tokenizer);
      }
    }
    return 0;
  }
}
