package dev.nautil.cli;

import dev.nautil.template.RenderOptions;
import java.io.IOException;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeParseException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code nautil template}. */
@Command(
    name = "template",
    description = {
      "Reads JSON lines {\"template\", \"context\"} from standard input and prints {\"output\"} for"
          + " each, or {\"error\"} where a line cannot be answered."
    },
    sortOptions = false)
final class TemplateCommand implements Callable<Integer> {
  private final Io io;

  @Mixin private StandardOptions standard;

  @Option(
      names = "--now",
      paramLabel = "TIME",
      converter = TimeConverter.class,
      description = "What strftime_now takes for the time, as in 2025-03-07T09:05:03.")
  private @Nullable LocalDateTime now;

  /** picocli's own tells a user of Java's classes. */
  static final class TimeConverter implements ITypeConverter<LocalDateTime> {
    @Override
    public LocalDateTime convert(String text) {
      try {
        return LocalDateTime.parse(text);
      } catch (DateTimeParseException e) {
        throw new TypeConversionException("\"" + text + "\" is not like 2025-03-07T09:05:03");
      }
    }
  }

  TemplateCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() throws IOException {
    RenderOptions options = RenderOptions.defaults();
    if (now != null) {
      ZoneId zone = ZoneId.systemDefault();
      options = options.withClock(Clock.fixed(now.atZone(zone).toInstant(), zone));
    }
    TextJson.renderTemplates(io, options);
    return 0;
  }
}
