package consumer;

import dev.nautil.Model;
import dev.nautil.Reply;
import dev.nautil.Session;
import dev.nautil.Tool;
import dev.nautil.ToolCall;
import dev.nautil.Tools;
import dev.nautil.annotation.Param;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Has tools of its own types, fills 1 GB of KV cache with four conversations, and prints how many
 * replies it got.
 */
public final class Main {
  private static final int SESSIONS = 4;
  private static final long KV_BYTES = 1L << 30;

  record Place(@Param(description = "In English") String city, Optional<Integer> days) {}

  static final class Weather {
    @dev.nautil.annotation.Tool(description = "The temperature in °C")
    double temperature(@Param(name = "place") Place place) {
      return place.city().length();
    }
  }

  private Main() {}

  /** A module opens its package for them; nothing else is needed on either path. */
  private static void makeTools() {
    Tool forecast = Tool.of("forecast", "The weather of some days", Place.class, Place::city);
    Tools tools = Tools.of(new Weather(), forecast);
    Place place = new ToolCall("1", "forecast", "{\"city\":\"Oslo\"}").arguments(Place.class);
    if (tools.list().size() != 2 || !place.equals(new Place("Oslo", Optional.empty()))) {
      throw new AssertionError(tools + " " + place);
    }
  }

  public static void main(String[] args) throws IOException {
    makeTools();
    try (Model model = Model.open(Path.of(args[0]))) {
      int tokens = Math.toIntExact(KV_BYTES / model.describe().kvBytesPerToken() / SESSIONS);
      int replies = 0;
      for (int i = 0; i < SESSIONS; i++) {
        Session session = model.newSession(Session.options().raw().maxTokens(1));
        // One token a character; long enough to be kept, and without a prefix that they share.
        Reply reply = session.send(Character.toString('a' + i).repeat(tokens));
        if (reply.usage().promptTokens() < tokens) {
          throw new AssertionError("a prompt of " + reply.usage().promptTokens() + " tokens");
        }
        replies++;
      }
      if (residentBytes() < KV_BYTES) {
        throw new AssertionError("only " + residentBytes() + " bytes are resident");
      }
      System.out.println(replies + " replies");
    }
  }

  private static long residentBytes() throws IOException {
    try (var lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("RssAnon:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
          .sum();
    }
  }
}
