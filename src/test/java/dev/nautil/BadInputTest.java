package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.annotation.Param;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** What no session can use is refused by name, and the session goes on as if nothing was said. */
@Timeout(60)
class BadInputTest {
  private static final String FILE = "SmolLM2-135M-Instruct.Q4_1.gguf";
  private static final String HALF = "cut \ud83d";

  private final ScriptedModel model = new ScriptedModel(FILE);
  private final Session session = new Session(model, Session.options());

  record City(String city) {}

  private <E extends Exception> E refused(Class<E> type, Executable call) {
    E refusal = assertThrows(type, call);
    assertGoesOn(model, session);
    return refusal;
  }

  private static void assertGoesOn(ScriptedModel model, Session session) {
    List<Message> before = session.history();
    model.says("Hi.");
    assertEquals("Hi.", session.send("Hello").text());
    assertEquals(before.size() + 2, session.history().size());
    assertEquals(before, session.history().subList(0, before.size()));
  }

  @Test
  void aTextThatIsNotUtf16() {
    MalformedTextException refusal =
        refused(MalformedTextException.class, () -> session.send(HALF));
    assertEquals(
        "the user's message has half of a surrogate pair at index 4", refusal.getMessage());
    assertEquals(4, refusal.index());
    assertEquals(
        "the user's message has half of a surrogate pair at index 0",
        refused(MalformedTextException.class, () -> session.ask("\udc00\ud83d", City.class))
            .getMessage());
    model.says("A face.");
    assertEquals("A face.", session.send("\ud83d\ude00").text());
    assertEquals(
        "the system prompt has half of a surrogate pair at index 4",
        malformed(() -> Session.options().system(HALF)));
    assertEquals(
        "a stop string has half of a surrogate pair at index 4",
        malformed(() -> Session.options().stop("a", HALF)));
    assertEquals(
        "the result of weather has half of a surrogate pair at index 4",
        malformed(() -> new ToolCall("1", "weather", "{}").result(HALF)));
    assertEquals(
        "the text of the arguments of weather has half of a surrogate pair at index 4",
        malformed(() -> new ToolCall("1", "weather", HALF)));
    assertEquals(
        "the name of a called tool has half of a surrogate pair at index 4",
        malformed(() -> new ToolCall("1", HALF, "{}")));
    assertEquals(
        "the id of a call of weather has half of a surrogate pair at index 4",
        malformed(() -> new ToolCall(HALF, "weather", "{}")));
    assertEquals(
        "the description of weather has half of a surrogate pair at index 4",
        malformed(() -> Tool.declare("weather", HALF, City.class)));
    record Cut(@Param(description = HALF) String city) {}
    String schema = malformed(() -> Tool.declare("weather", "", Cut.class));
    assertTrue(schema.startsWith("the schema of the arguments of weather, as JSON, has"), schema);
  }

  private static String malformed(Executable call) {
    return assertThrows(MalformedTextException.class, call).getMessage();
  }

  /** The model reads that the tool failed, and why. */
  @Test
  void aToolThatGivesATextThatIsNotUtf16() {
    String call =
        "<tool_call>\n{\"name\": \"%s\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>";
    Tools tools =
        Tools.of(
            Tool.of("cuts", "", City.class, city -> HALF),
            Tool.of(
                "throws",
                "",
                City.class,
                city -> {
                  throw new IllegalStateException(HALF);
                }));
    Session session = new Session(model, Session.options().tools(tools));
    model.says(call.formatted("cuts")).says(call.formatted("throws")).says("No luck.");
    assertEquals("No luck.", session.send("Go.").text());
    String cut = session.history().get(2).content();
    assertTrue(cut.contains("the result of cuts has half of a surrogate pair at index 4"), cut);
    assertEquals(
        "{\"error\":\"IllegalStateException: cut ?\"}", session.history().get(4).content());
    assertGoesOn(model, session);
  }

  /** JSON can spell it; what it says is no text. */
  @Test
  void aCallThatSaysHalfOfACharacter() {
    Session session =
        new Session(
            model,
            Session.options().tools(Tools.of(Tool.of("echo", "", City.class, c -> c.city()))));
    model.says(
        "<tool_call>\n{\"name\": \"echo\", \"arguments\": {\"city\": \"\\ud83d\"}}\n</tool_call>");
    model.says("No luck.");
    assertEquals("No luck.", session.send("Go.").text());
    assertTrue(session.history().get(2).content().contains("could not be read"));
    assertGoesOn(model, session);
  }

  @Test
  void aMessageOfTenMegabytes() {
    String text = "word ".repeat(2_000_000);
    try (Model model = Model.open(TestModels.smolLm2())) {
      Session session = model.newSession(Session.options().maxTokens(1));
      ContextFullException refusal =
          assertThrows(ContextFullException.class, () -> session.send(text));
      assertTrue(refusal.wanted() > 1_000_000, refusal.getMessage());
      assertEquals(List.of(), session.history());
      session.send("Hello");
      assertEquals(2, session.history().size());
    }
  }

  @Test
  void aToolWhoseArgumentsNeverEnd() {
    Tool tool =
        Tool.declare(
            "weather",
            "",
            """
            {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}""");
    Session session = new Session(model, Session.options().tools(Tools.of(tool)));
    SchemaException refusal =
        assertThrows(SchemaException.class, () -> session.send("Does it rain?"));
    assertTrue(
        refusal
            .getMessage()
            .startsWith("the schema of the tool weather's arguments at '#': no finite value"),
        refusal.getMessage());
    assertEquals(List.of(), session.history());
    assertEquals(0, model.generations());
    refused(
        SchemaException.class,
        () ->
            Constraint.jsonSchema(
                "{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"$ref\": \"#/$defs/a\"}}}"));
  }

  static final class TwoOfOneName {
    @dev.nautil.annotation.Tool
    String weather(@Param(name = "city") String a, @Param(name = "city") String b) {
      return a + b;
    }
  }

  @Test
  void aToolWithTwoParametersOfOneName() {
    String refusal =
        refused(InvalidToolException.class, () -> Tools.of(new TwoOfOneName())).getMessage();
    assertEquals(
        "two parameters of TwoOfOneName.weather have the name city", refusal.split(";")[0]);
  }

  @Test
  void anArgumentThatCannotBeDescribed() {
    record Callback(Thread thread) {}
    String refusal =
        refused(UnsupportedTypeException.class, () -> Tool.declare("run", "", Callback.class))
            .getMessage();
    assertTrue(refusal.contains("thread") && refusal.contains("java.lang.Thread"), refusal);
  }

  @Test
  void aTemplateThatRaises() {
    ScriptedModel model =
        new ScriptedModel(
            FILE,
            """
            {%- for m in messages -%}
              {%- if m.content == 'bad' %}{{ raise_exception('no bad words') }}{% endif -%}
              {{ m.role + ': ' + m.content + '\\n' }}
            {%- endfor -%}
            assistant:""");
    Session session = new Session(model, Session.options());
    assertGoesOn(model, session);
    NautilException refusal = assertThrows(NautilException.class, () -> session.send("bad"));
    assertTrue(refusal.getMessage().contains("no bad words"), refusal.getMessage());
    assertEquals(2, session.history().size());
    assertGoesOn(model, session);
  }
}
