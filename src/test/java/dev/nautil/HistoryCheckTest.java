package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class HistoryCheckTest {
  private static final SessionOptions BRIEF = Session.options().system("Be brief.");
  private static final Message SYSTEM = new Message.System("Be brief.");
  private static final Message HELLO = new Message.User("Hello");
  private static final ToolCall CALL = new ToolCall("1", "weather", "{}");
  private static final Message CALLS = new Message.Assistant("", List.of(CALL));

  private static void refused(String reason, SessionOptions options, Message... messages) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> HistoryCheck.checked(options, List.of(messages)))
            .getMessage();
    assertTrue(message.contains(reason), message);
  }

  @Test
  void theSystemPromptIsTheOptionsOrTheFirstMessage() {
    List<Message> history = List.of(SYSTEM, HELLO);
    assertEquals(history, HistoryCheck.checked(BRIEF, List.of(HELLO)));
    assertEquals(history, HistoryCheck.checked(BRIEF, history));
    assertEquals(history, HistoryCheck.checked(Session.options(), history));
    refused("not the first message", BRIEF, HELLO, SYSTEM);
    refused("another system prompt", BRIEF, new Message.System("Be long."), HELLO);
    refused("raw text", Session.options().raw(), SYSTEM);
  }

  @Test
  void eachCallHasAResult() {
    List<Message> history = List.of(HELLO, CALLS, CALL.result("rain"), HELLO, CALLS);
    assertEquals(history, HistoryCheck.checked(Session.options(), history));
    refused("weather (1)", BRIEF, HELLO, CALLS, HELLO);
    refused("there is not: 1", BRIEF, HELLO, CALL.result("rain"));
    refused("there is not: 1", BRIEF, HELLO, CALLS, CALL.result("rain"), CALL.result("sun"));
    refused("the id 1", BRIEF, HELLO, new Message.Assistant("", List.of(CALL, CALL)));
  }
}
