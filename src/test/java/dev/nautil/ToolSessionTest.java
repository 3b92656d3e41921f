package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a session makes of replies that a script has, in the format of a model's file. */
@Timeout(60)
class ToolSessionTest {
  record City(String city) {}

  private final List<String> asked = new ArrayList<>();

  private final Tools tools =
      Tools.of(
          Tool.of(
              "weather",
              "The weather.",
              City.class,
              city -> {
                asked.add(city.city());
                if (city.city().equals("Atlantis")) {
                  throw new IllegalStateException("under water");
                }
                return "rain in " + city.city();
              }));

  private final ScriptedModel model = new ScriptedModel("SmolLM2-135M-Instruct.Q4_1.gguf");

  private Session session(SessionOptions options) {
    return new Session(model, options);
  }

  private Session session() {
    return session(Session.options().tools(tools));
  }

  private static String call(String city) {
    return "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \""
        + city
        + "\"}}\n</tool_call>";
  }

  private static ToolCall toolCall(int n, String city) {
    return new ToolCall(String.format("call%05d", n), "weather", "{\"city\":\"" + city + "\"}");
  }

  @Test
  void runsToolsUntilTheModelAnswers() {
    model.says("Let me see.\n" + call("Oslo")).says(call("Rome")).says("Rain in both.");
    Session session = session();
    List<Event> events = new ArrayList<>();
    Reply reply;
    try (Reply.Stream stream = session.stream("Does it rain?")) {
      stream.forEach(events::add);
      reply = stream.reply();
    }
    assertEquals("Rain in both.", reply.text());
    assertEquals(FinishReason.STOP, reply.finishReason());
    assertEquals(List.of(), reply.toolCalls());
    assertEquals(List.of("Oslo", "Rome"), asked);
    assertEquals(3, model.generations());
    assertEquals(
        model.promptTokens(0).length + model.promptTokens(1).length + model.promptTokens(2).length,
        reply.usage().promptTokens());
    assertEquals(3, reply.timings().reply().toSeconds());

    List<Message> expected =
        List.of(
            new Message.User("Does it rain?"),
            new Message.Assistant("Let me see.", List.of(toolCall(0, "Oslo"))),
            toolCall(0, "Oslo").result("rain in Oslo"),
            new Message.Assistant("", List.of(toolCall(1, "Rome"))),
            toolCall(1, "Rome").result("rain in Rome"),
            new Message.Assistant("Rain in both."));
    assertEquals(expected, session.history());

    events.removeIf(event -> event instanceof Event.Prompt);
    StringBuilder text = new StringBuilder();
    events.forEach(event -> text.append(event instanceof Event.Text t ? t.text() : ""));
    assertEquals("Let me see.\nRain in both.", text.toString());
    events.removeIf(event -> event instanceof Event.Text);
    assertEquals(
        List.of(
            new Event.ToolCall(toolCall(0, "Oslo")),
            new Event.ToolResult(toolCall(0, "Oslo").result("rain in Oslo"), null),
            new Event.ToolCall(toolCall(1, "Rome")),
            new Event.ToolResult(toolCall(1, "Rome").result("rain in Rome"), null),
            new Event.Done(reply)),
        events);
    assertTrue(model.prompt(0).contains("\"name\": \"weather\""), model.prompt(0));
    assertTrue(
        model.prompt(1).contains("<tool_response>\nrain in Oslo\n</tool_response>"),
        model.prompt(1));
  }

  /** What a model wrote as the template does need not be read again, markers and all. */
  @Test
  void aPromptGoesOnFromTheTokensOfACall() {
    model.says(call("Oslo")).says("Rain.");
    session().send("Does it rain?");
    int[] first = model.promptTokens(0);
    int[] second = model.promptTokens(1);
    assertArrayEquals(first, Arrays.copyOf(second, first.length));
    assertTrue(model.prompt(1).startsWith(model.prompt(0) + call("Oslo")), model.prompt(1));
  }

  /** Some languages have digits of their own, which Java's formats use. */
  @Test
  void idsAreLettersAndDigitsInEveryLocale() {
    Locale locale = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("ar-EG"));
    try {
      assertEquals("call00000", PendingCalls.newIds(List.of()).get());
    } finally {
      Locale.setDefault(locale);
    }
  }

  @Test
  void runsParallelCallsInOrder() {
    model.says(call("Oslo") + "\n" + call("Atlantis") + "\n" + call("Rome")).says("Done.");
    Session session = session();
    assertEquals("Done.", session.send("Does it rain?").text());
    assertEquals(List.of("Oslo", "Atlantis", "Rome"), asked);
    List<Message> history = session.history();
    assertEquals(6, history.size());
    assertEquals(3, ((Message.Assistant) history.get(1)).toolCalls().size());
    assertEquals(
        toolCall(1, "Atlantis").result("{\"error\":\"IllegalStateException: under water\"}"),
        history.get(3));
  }

  /** The model does not know the result yet. */
  @Test
  void endsAReplyAtTextBehindACall() {
    model.says("Hm. " + call("Oslo") + "\nIt is dry. " + call("Rome")).says("Rain.");
    Session session = session();
    StringBuilder text = new StringBuilder();
    try (Reply.Stream stream = session.stream("Does it rain?")) {
      stream.forEach(event -> text.append(event instanceof Event.Text t ? t.text() : ""));
    }
    assertEquals("Hm. Rain.", text.toString());
    assertEquals(List.of("Oslo"), asked);
    assertEquals("Hm.", session.history().get(1).content());
  }

  @Test
  void mistakesOfTheModelAreResults() {
    model
        .says("<tool_call>\nweather(Oslo)\n</tool_call>")
        .says("<tool_call>\n{\"name\": \"wether\", \"arguments\": {}}\n</tool_call>")
        .says(call("Oslo").replace("city", "town"))
        .says("Sorry.");
    Session session = session();
    assertEquals("Sorry.", session.send("Does it rain?").text());
    assertEquals(List.of(), asked);
    List<Message> history = session.history();
    ToolCall unreadable = ((Message.Assistant) history.get(1)).toolCalls().get(0);
    assertEquals(ToolCall.UNREADABLE, unreadable.name());
    assertEquals("\"weather(Oslo)\"", unreadable.arguments());
    assertTrue(history.get(2).content().contains("could not be read"));
    assertTrue(history.get(4).content().contains("no tool wether"));
    assertTrue(history.get(6).content().contains("missing: \\\"city\\\""));
  }

  @Test
  void handsOverWhatIsBeyondTheLimit() {
    model.says(call("A")).says(call("B")).says(call("C")).says("Done.");
    Session session = session(Session.options().tools(tools).maxToolRounds(2));
    Reply reply = session.send("Does it rain?");
    assertEquals(FinishReason.TOOL_CALLS, reply.finishReason());
    assertEquals(List.of(toolCall(2, "C")), reply.toolCalls());
    assertEquals(List.of("A", "B"), asked);
    assertEquals(6, session.history().size());
    Reply rest = session.sendToolResults(List.of(reply.toolCalls().get(0).result("rain")));
    assertEquals("Done.", rest.text());
    assertEquals(8, session.history().size());
  }

  @Test
  void handsCallsToTheCaller() {
    model.says(call("Oslo") + call("Rome")).says("Done.").says("Bye.");
    Session session = session(Session.options().tools(tools).maxToolRounds(0));
    Reply reply = session.send("Does it rain?");
    assertEquals(List.of(toolCall(0, "Oslo"), toolCall(1, "Rome")), reply.toolCalls());
    assertEquals("Oslo", reply.toolCalls().get(0).arguments(City.class).city());
    assertEquals(List.of(), asked);

    List<Message> before = session.history();
    assertThrows(IllegalStateException.class, () -> session.send("Hello?"));
    ToolCall first = reply.toolCalls().get(0);
    ToolCall second = reply.toolCalls().get(1);
    for (List<Message.ToolResult> wrong :
        List.of(
            List.<Message.ToolResult>of(),
            List.of(first.result("1")),
            List.of(first.result("1"), first.result("2")),
            List.of(first.result("1"), second.result("2"), toolCall(9, "x").result("3")))) {
      assertThrows(IllegalArgumentException.class, () -> session.sendToolResults(wrong));
    }
    assertEquals(before, session.history());

    Reply done = session.sendToolResults(List.of(second.result("sun"), first.result("rain")));
    assertEquals("Done.", done.text());
    assertEquals(
        List.of(first.result("rain"), second.result("sun")), session.history().subList(2, 4));
    assertThrows(
        IllegalStateException.class, () -> session.sendToolResults(List.of(first.result("x"))));
    assertEquals("Bye.", session.send("Bye").text());
  }

  @Test
  void aDeclaredToolIsTheCallers() {
    Tools declared = tools.and(Tools.of(Tool.declare("other", "", City.class)));
    model.says(call("Oslo") + call("Rome").replace("weather", "other"));
    Reply reply = session(Session.options().tools(declared)).send("Does it rain?");
    assertEquals(FinishReason.TOOL_CALLS, reply.finishReason());
    assertEquals(2, reply.toolCalls().size());
    assertEquals(List.of(), asked);
  }

  @Test
  void rewindsTurnsWithCalls() {
    model.says("Hi.").says(call("Oslo")).says("Rain.").says(call("Oslo")).says("Sun.");
    Session session = session(Session.options().tools(tools).system("Be brief."));
    session.send("Hello");
    List<Message> before = session.history();
    session.send("Does it rain?");
    assertEquals(7, session.history().size());
    session.rewindTurns(1);
    assertEquals(before, session.history());
    session.send("Does it rain?");
    session.rewind(2);
    // The result is gone: it can be given anew.
    assertThrows(IllegalStateException.class, () -> session.send("Hello?"));
    model.says("Snow.");
    ToolCall call = ((Message.Assistant) session.history().get(4)).toolCalls().get(0);
    assertEquals("Snow.", session.sendToolResults(List.of(call.result("snow"))).text());
    session.rewindTurns(2);
    assertEquals(List.of(new Message.System("Be brief.")), session.history());
    assertThrows(IllegalArgumentException.class, () -> session.rewindTurns(1));
    assertThrows(IllegalArgumentException.class, () -> session.rewindTurns(-1));
  }

  @Test
  void aTurnThatFailsLeavesNothing() {
    model.says("Hi.").says(call("Oslo")).says("fail").says("Fine.");
    Session session = session();
    session.send("Hello");
    List<Message> before = session.history();
    assertThrows(NautilException.class, () -> session.send("Does it rain?"));
    assertEquals(before, session.history());
    assertEquals("Fine.", session.send("How are you?").text());
  }

  @Test
  void anErrorInAToolEndsTheTurn() {
    model.says(call("Oslo")).says("Fine.");
    Session session = session();
    session.tools(
        Tools.of(
            Tool.of(
                "weather",
                "",
                City.class,
                city -> {
                  throw new OutOfMemoryError("not really");
                })));
    assertThrows(OutOfMemoryError.class, () -> session.send("Does it rain?"));
    assertEquals(List.of(), session.history());
    assertEquals("Fine.", session.send("How are you?").text());
  }

  @Test
  void cancellingKeepsWhatWasDone() {
    model.says(call("Oslo")).says("Well, it", FinishReason.CANCELLED).says("Fine.");
    Session session = session();
    StringBuilder text = new StringBuilder();
    try (Reply.Stream stream = session.stream("Does it rain?")) {
      for (Event event : stream) {
        text.append(event instanceof Event.Text t ? t.text() : "");
        if (text.length() > 4) {
          break;
        }
      }
    }
    List<Message> history = session.history();
    assertEquals(4, history.size());
    assertEquals(new Message.Assistant("Well, it"), history.get(3));
    assertEquals("Fine.", session.send("And now?").text());
  }

  @Test
  void cancellingBetweenCallsAnswersThem() {
    model.says(call("Oslo") + call("Rome")).says("Fine.");
    Session session = session();
    try (Reply.Stream stream = session.stream("Does it rain?")) {
      for (Event event : stream) {
        if (event instanceof Event.ToolResult) {
          break;
        }
      }
    }
    assertEquals(List.of("Oslo"), asked);
    List<Message> history = session.history();
    assertEquals(5, history.size());
    assertEquals("rain in Oslo", history.get(2).content());
    assertEquals("{\"error\":\"cancelled\"}", history.get(3).content());
    assertEquals(new Message.Assistant(""), history.get(4));
    assertEquals("Fine.", session.send("And now?").text());
  }

  @Test
  void aToolMayCloseTheReply() {
    model.says(call("Oslo") + call("Rome")).says("Fine.");
    Session session = session();
    List<Reply.Stream> open = new ArrayList<>();
    session.tools(
        Tools.of(
            Tool.of(
                "weather",
                "",
                City.class,
                city -> {
                  open.get(0).close();
                  return "closed";
                })));
    try (Reply.Stream stream = session.stream("Does it rain?")) {
      open.add(stream);
      assertEquals(FinishReason.CANCELLED, stream.reply().finishReason());
    }
    assertEquals("closed", session.history().get(2).content());
    assertEquals("{\"error\":\"cancelled\"}", session.history().get(3).content());
    assertEquals("Fine.", session.send("And now?").text());
  }

  @Test
  void cancellingACallDropsIt() {
    model.says("Hm. " + call("Oslo"), FinishReason.CANCELLED).says("Fine.");
    Session session = session();
    try (Reply.Stream stream = session.stream("Does it rain?")) {
      for (Event event : stream) {
        if (event instanceof Event.ToolCall) {
          break;
        }
      }
    }
    assertEquals(List.of(), asked);
    assertEquals(
        List.of(new Message.User("Does it rain?"), new Message.Assistant("Hm.")),
        session.history());
  }

  @Test
  void aCallThatWasCutIsLeftOut() {
    model.says("Hm. <tool_call>\n{\"name\": \"wea", FinishReason.MAX_TOKENS);
    Reply reply = session().send("Does it rain?");
    assertEquals("Hm. ", reply.text());
    assertEquals(FinishReason.MAX_TOKENS, reply.finishReason());
  }

  @Test
  void withoutToolsACallIsText() {
    model.says(call("Oslo")).says(call("Oslo"));
    assertEquals(call("Oslo"), session(Session.options()).send("x").text());
    Session none = session(Session.options().tools(tools).toolChoice(ToolChoice.none()));
    assertEquals(call("Oslo"), none.send("x").text());
    assertFalse(model.prompt(1).contains("weather"));
  }

  @Test
  void aStopStringIsLookedForInTextOnly() {
    model.says(call("Oslo")).says("It rains. END more");
    Session session = session(Session.options().tools(tools).stop("Oslo", "END"));
    Reply reply = session.send("Does it rain?");
    assertEquals("It rains. ", reply.text());
    assertEquals(FinishReason.STOP_STRING, reply.finishReason());
    assertEquals(List.of("Oslo"), asked);
  }

  @Test
  void textThatMightHaveBecomeAStopStringComesBeforeTheCall() {
    model.says("Well, E" + call("Oslo")).says("It rains.");
    List<String> events = new ArrayList<>();
    try (Reply.Stream stream =
        session(Session.options().tools(tools).stop("END")).stream("Does it rain?")) {
      for (Event event : stream) {
        events.add(event instanceof Event.Text text ? text.text() : "" + event.getClass());
      }
    }
    int call = events.indexOf("" + Event.ToolCall.class);
    assertEquals("Well, E", String.join("", events.subList(1, call)));
  }

  @Test
  void demandsACall() {
    String head = "<tool_call>\n{\"name\": \"";
    String oslo = head + "weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>";
    model.says(oslo).says("Rain.").says(oslo.replace("Oslo", "Rome")).says("Sun.");
    Session session = session().toolChoice(ToolChoice.named("weather"));
    assertEquals("Rain.", session.send("Does it rain?").text());
    assertTrue(model.couldSay(0, oslo));
    assertFalse(model.couldSay(0, "Rain."));
    assertFalse(model.couldSay(0, head + "weather\", \"arguments\": {\"town"));
    assertFalse(model.couldSay(0, oslo + "\n<tool_call>"), "one call");
    session.toolChoice(ToolChoice.required());
    assertEquals("Sun.", session.send("And in Rome?").text());
    assertTrue(model.couldSay(2, oslo + "\n" + oslo));
    assertFalse(model.couldSay(2, "I"));
    assertEquals(List.of("Oslo", "Rome"), asked);
  }

  @Test
  void ofSeveralToolsTheNamedOneIsCalled() {
    String call =
        "<tool_call>\n{\"name\": \"%s\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>";
    model.says(call.formatted("weather")).says("Rain.");
    Tool other = Tool.of("other", "Another.", City.class, City::city);
    Session session = session(Session.options().tools(tools.and(Tools.of(other))));
    session.toolChoice(ToolChoice.named("weather")).send("Does it rain?");
    assertTrue(model.couldSay(0, call.formatted("weather")));
    assertFalse(model.couldSay(0, call.formatted("other")));
    // It is free once there are results.
    assertTrue(model.couldSay(1, call.formatted("other")));
    assertTrue(model.couldSay(1, "Rain."));
  }

  @Test
  void aCallThatIsNotDemandedCanBeReadToo() {
    String call = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": ";
    model.says("Hi.");
    session().send("x");
    assertTrue(model.couldSay(0, "<b>Hi</b> <tool> <tool_calls> <<tool_cal" + "l "));
    assertTrue(model.couldSay(0, "Let me see. <" + call + "\"Oslo\"}}\n</tool_call>"));
    assertFalse(model.couldSay(0, "Let me see. " + call + "7"));
    assertFalse(model.couldSay(0, call.replace("weather", "other")));
    assertFalse(model.couldSay(0, "<tool_call> is a marker"));
  }

  @Test
  void refusesAChoiceThatThereIsNot() {
    Session session = session().toolChoice(ToolChoice.named("other"));
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> session.send("x"))
            .getMessage()
            .contains("other"));
    Session bare = session(Session.options().toolChoice(ToolChoice.required()));
    assertThrows(IllegalArgumentException.class, () -> bare.send("x"));
    model.says("Hi.");
    assertEquals("Hi.", session.toolChoice(ToolChoice.auto()).send("x").text());
    assertEquals(0, bare.history().size());
  }

  @Test
  void toolsDoNotChangeInATurn() {
    model.says("Hi.");
    Session session = session();
    try (Reply.Stream stream = session.stream("x")) {
      assertThrows(IllegalStateException.class, () -> session.tools(Tools.none()));
      stream.reply();
    }
    assertInstanceOf(Session.class, session.tools(Tools.none()));
  }

  /** Its ids are the model's own, its marker a token, its results JSON. */
  @Test
  void speaksMistral() {
    ScriptedModel mistral = new ScriptedModel("tekken-tiny.gguf");
    String written =
        "[TOOL_CALLS][{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\"},"
            + " \"id\": \"abcDEF123\"}]";
    mistral.says(written).says("Rain.").says("Sun.");
    Session session = new Session(mistral, Session.options().tools(tools));
    List<Event> events = new ArrayList<>();
    try (Reply.Stream stream = session.stream("Does it rain?")) {
      stream.forEach(events::add);
    }
    ToolCall call = new ToolCall("abcDEF123", "weather", "{\"city\":\"Oslo\"}");
    assertTrue(events.contains(new Event.ToolCall(call)), events::toString);
    assertEquals(new Message.Assistant("", List.of(call)), session.history().get(1));
    assertTrue(
        mistral
            .prompt(1)
            .endsWith(
                "[/INST]"
                    + written
                    + "</s>[TOOL_RESULTS]{\"content\": \"rain in Oslo\", \"call_id\":"
                    + " \"abcDEF123\"}[/TOOL_RESULTS]"),
        mistral.prompt(1));
    assertEquals("Sun.", session.send("And now?").text());
  }
}
