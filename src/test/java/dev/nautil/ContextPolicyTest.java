package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.engine.Transcript;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ContextPolicyTest {
  private static final SessionOptions DROPPING =
      Session.options().contextPolicy(ContextPolicy.DROP_OLDEST_TURNS).maxTokens(20);

  private static final Message SYSTEM = new Message.System("Be brief.");

  /** Some 100 tokens in the format of the model. */
  private static final String LONG = "word ".repeat(90);

  private final ScriptedModel model =
      new ScriptedModel("SmolLM2-135M-Instruct.Q4_1.gguf").contextLength(512);

  private static List<Event> events(Reply.Stream stream) {
    List<Event> events = new ArrayList<>();
    try (stream) {
      stream.forEach(events::add);
    }
    return events;
  }

  private static List<Integer> dropped(List<Event> events) {
    return events.stream()
        .filter(Event.TurnsDropped.class::isInstance)
        .map(event -> ((Event.TurnsDropped) event).turns())
        .toList();
  }

  /** Turns whose words tell which they are. */
  private static List<Message> turns(int n) {
    List<Message> turns = new ArrayList<>(List.of(SYSTEM));
    for (int i = 0; i < n; i++) {
      turns.add(new Message.User(i + " " + LONG));
      turns.add(new Message.Assistant("reply " + i));
    }
    return turns;
  }

  private Session session(SessionOptions options, List<Message> history) {
    return new Session(
        model, options, new Conversation(model, new ArrayList<>(history), new Transcript(), null));
  }

  @Test
  void forgetsTheOldestTurns() {
    model.says("Four.").says("Five.");
    Session session = session(DROPPING, turns(4));
    List<Event> events = events(session.stream("4 " + LONG));
    assertEquals(new Event.TurnsDropped(3), events.get(0));
    assertEquals(List.of(3), dropped(events));
    List<Message> expected = new ArrayList<>(List.of(SYSTEM));
    expected.addAll(turns(4).subList(7, 9));
    expected.add(new Message.User("4 " + LONG));
    expected.add(new Message.Assistant("Four."));
    assertEquals(expected, session.history());
    assertTrue(model.promptTokens(0).length <= 256, "half of the context");
    assertTrue(model.promptTokens(0).length > 200, "and no less than that takes");
    assertTrue(model.prompt(0).startsWith("<|im_start|>system\nBe brief.<|im_end|>\n"));
    // There is room for the next.
    assertEquals(List.of(), dropped(events(session.stream("5 " + LONG))));
    assertEquals(7, session.history().size());
    assertTrue(model.prompt(1).contains("user\n3 word"));
  }

  /** A quarter of the context, or as many tokens as the reply can have. */
  @Test
  void leavesRoomForTheReply() {
    model.says("Yes.");
    session(Session.options(), turns(3)).send("How so?");
    int prompt = model.promptTokens(0).length;
    int withQuarterFree = prompt;
    while (withQuarterFree - withQuarterFree / 4 < prompt) {
      withQuarterFree++;
    }
    record Room(int maxTokens, int context) {}
    for (Room enough :
        List.of(
            new Room(20, prompt + 20),
            new Room(0, withQuarterFree),
            new Room(300, withQuarterFree))) {
      for (int missing : List.of(0, 1)) {
        model.contextLength(enough.context - missing).says("Yes.");
        Session session = session(DROPPING.maxTokens(enough.maxTokens), turns(3));
        List<Integer> dropped = dropped(events(session.stream("How so?")));
        assertEquals(missing == 0, dropped.isEmpty(), enough + " less " + missing);
      }
    }
  }

  @Test
  void doesNotUnlessItIsAsked() {
    model.says("Yes.");
    Session session = session(DROPPING.contextPolicy(ContextPolicy.FAIL), turns(9));
    assertEquals(List.of(), dropped(events(session.stream("How so?"))));
    assertEquals(21, session.history().size());
  }

  @Test
  void aTurnThatFailsForgetsNothing() {
    model.says("fail").says("", FinishReason.CANCELLED).says("Yes.");
    Session session = session(DROPPING, turns(6));
    assertThrows(NautilException.class, () -> session.send("How so?"));
    assertEquals(turns(6), session.history());
    try (Reply.Stream stream = session.stream("How so?")) {
      assertInstanceOf(Event.TurnsDropped.class, stream.iterator().next());
    }
    assertEquals(turns(6), session.history());
    session.send("How so?");
    assertNotEquals(turns(6), session.history());
  }

  record City(String city) {}

  record Letter(char letter) {}

  @Test
  void anAnswerThatIsNoneForgetsNothing() {
    Session session = session(DROPPING, turns(6));
    model.says("{\"ci", FinishReason.MAX_TOKENS);
    assertThrows(IncompleteReplyException.class, () -> session.ask("Where?", City.class));
    assertEquals(turns(6), session.history());
    model.says("{\"letter\": \"\ud83d\ude00\"}");
    assertThrows(NautilException.class, () -> session.ask("Which?", Letter.class));
    assertEquals(turns(6), session.history());
    model.says("{\"city\": \"Oslo\"}");
    assertEquals(new City("Oslo"), session.ask("Where?", City.class));
    assertNotEquals(turns(6), session.history());
  }

  @Test
  void callsStayWithTheirResults() {
    ToolCall call = new ToolCall("call00000", "weather", "{\"city\":\"Oslo\"}");
    List<Message> history = new ArrayList<>(turns(2));
    history.add(new Message.User("Weather in Oslo?"));
    history.add(new Message.Assistant("", List.of(call)));
    // Results of calls that wait: the turn of the calls is not forgotten.
    model.says("Rain.");
    Session waiting = session(DROPPING, history);
    Message.ToolResult result = call.result("rain " + LONG + LONG + LONG);
    List<Event> events = events(waiting.streamToolResults(List.of(result)));
    assertEquals(List.of(2), dropped(events));
    List<Message> expected = new ArrayList<>(List.of(SYSTEM));
    expected.addAll(history.subList(5, 7));
    expected.add(result);
    expected.add(new Message.Assistant("Rain."));
    assertEquals(expected, waiting.history());

    // A turn with calls goes with its results.
    model.says("No.");
    List<Event> later = events(waiting.stream("And tomorrow? " + LONG + LONG));
    assertEquals(List.of(1), dropped(later));
    assertEquals(3, waiting.history().size());
  }

  @Test
  void makesRoomBetweenTheRepliesOfATurn() {
    Tools tools =
        Tools.of(Tool.of("weather", "The weather.", ToolSessionTest.City.class, city -> LONG));
    String call =
        "<tool_call>\n{\"name\":\"weather\",\"arguments\":{\"city\":\"Oslo\"}}\n</tool_call>";
    model.contextLength(500).says(call).says(call).says(call).says("Rain.");
    Session session = session(DROPPING.tools(tools), turns(2));
    List<Event> events = events(session.stream("Weather?"));
    assertFalse(dropped(events).isEmpty());
    assertEquals(2, dropped(events).stream().mapToInt(Integer::intValue).sum());
    assertEquals(SYSTEM, session.history().get(0));
    assertEquals(new Message.User("Weather?"), session.history().get(1));
    assertEquals(1 + 1 + 3 * 2 + 1, session.history().size());
  }

  @Test
  void aLongConversationGoesOn() {
    ModelOptions small = Model.options().contextSize(512);
    try (Model real = Model.open(TestModels.smolLm2(), small)) {
      Session session = real.newSession(DROPPING.system("Be brief.").sampling(Sampling.greedy()));
      int drops = 0;
      for (int i = 0; i < 24; i++) {
        List<Event> events = events(session.stream("Tell me of the number " + i + ", please."));
        drops += dropped(events).size();
        Event.Done done = assertInstanceOf(Event.Done.class, events.get(events.size() - 1));
        assertNotEquals(FinishReason.CONTEXT_FULL, done.reply().finishReason());
        boolean reused = done.reply().usage().cachedTokens() > 100;
        assertTrue(i < 4 || reused != dropped(events).size() > 0, done.reply().usage().toString());
      }
      assertTrue(drops >= 2 && drops <= 6, "dropped " + drops + " times");
      assertEquals(SYSTEM, session.history().get(0));
      List<Message> before = session.history();
      assertThrows(ContextFullException.class, () -> session.send("word ".repeat(600)));
      assertEquals(before, session.history());
      assertFalse(session.send("Hello").text().isEmpty());
    }
  }
}
