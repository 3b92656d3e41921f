package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.json.JsonValues;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ConstraintTest {
  enum Size {
    SMALL,
    LARGE
  }

  record City(String name, int population, Size size, Optional<Boolean> capital) {}

  private static final Sampling HOT = Sampling.defaults().withTemperature(1.5f);

  private static Model model;

  @BeforeAll
  static void open() {
    model = Model.open(TestModels.smolLm2(), Model.options().contextSize(2048));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void aReplyMatchesARegularExpression() {
    String pattern = "(yes|no), because [a-z ]{5,20}\\.";
    Session session = held(Constraint.regex(pattern));
    for (int seed = 0; seed < 5; seed++) {
      Reply reply = session.send("Is the sky blue? " + seed);
      assertTrue(Pattern.matches(pattern, reply.text()), reply.text());
      assertEquals(FinishReason.STOP, reply.finishReason());
    }
  }

  @Test
  void aReplyMatchesAGrammar() {
    Session session = held(Constraint.gbnf("root ::= item+\nitem ::= \"- \" [a-z]{1,8} \"\\n\""));
    Reply reply = session.send("Name two fruits.");
    // It may be cut off within an item.
    String items = "(- [a-z]{1,8}\n)+(-( [a-z]{0,8})?)?";
    assertTrue(Pattern.matches(items, reply.text()), reply.text());
  }

  @Test
  void anAnswerIsARecord() {
    Session session = model.newSession(Session.options().sampling(HOT.withSeed(4)).maxTokens(600));
    for (int i = 0; i < 3; i++) {
      City city = session.ask("Name a city, with its population.", City.class);
      assertTrue(city.name() != null && city.size() != null && city.capital() != null);
    }
    assertEquals(6, session.history().size());
    assertTrue(session.history().get(1).content().contains("\"population\""));
  }

  @Test
  void anAnswerCanBeOneValue() {
    Session session = model.newSession(Session.options().sampling(Sampling.greedy()));
    int number = session.ask("How many legs has a spider?", int.class);
    assertTrue(number >= 0, "" + number);
    assertTrue(List.of(Size.values()).contains(session.ask("How big is it?", Size.class)));
  }

  @Test
  void aRecordThatIsCutOffIsNone() {
    Session session = model.newSession(Session.options().maxTokens(3));
    IncompleteReplyException cut =
        assertThrows(IncompleteReplyException.class, () -> session.ask("Name a city.", City.class));
    assertEquals(FinishReason.MAX_TOKENS, cut.reply().finishReason());
    assertEquals(List.of(), session.history());
    assertFalse(session.send("Hello").text().isEmpty());
  }

  @Test
  void whatCannotBeHeldIsSaidBefore() {
    assertThrows(GrammarException.class, () -> Constraint.regex("(?=a)b"));
    assertThrows(GrammarException.class, () -> Constraint.gbnf("root ::= missing"));
    SchemaException refused =
        assertThrows(
            SchemaException.class,
            () -> Constraint.jsonSchema("{\"type\":\"array\",\"uniqueItems\":true}"));
    assertTrue(refused.getMessage().contains("uniqueItems"), refused.getMessage());
    assertThrows(UnsupportedTypeException.class, () -> Constraint.json(Thread.class));
  }

  @Test
  void aToolIsCalledWithArgumentsOfItsType() {
    try (Model random = Model.open(TestModels.path("tekken-tiny.gguf"))) {
      Tool tool = Tool.declare("visit", "Visits a city.", City.class);
      int visits = 0;
      for (int seed = 0; seed < 10; seed++) {
        Session session =
            random.newSession(
                Session.options()
                    .sampling(HOT.withSeed(seed))
                    .maxTokens(400)
                    .tools(Tools.of(tool))
                    .toolChoice(ToolChoice.required()));
        Reply reply = session.send("Where to?");
        if (reply.finishReason() == FinishReason.TOOL_CALLS) {
          for (ToolCall call : reply.toolCalls()) {
            visits++;
            assertEquals("visit", call.name());
            City city = call.arguments(City.class);
            assertEquals(
                city,
                JsonValues.read(
                    JsonValues.parse(JsonValues.write(city)),
                    JsonValues.types().constructType(City.class)));
          }
        } else {
          assertEquals(FinishReason.MAX_TOKENS, reply.finishReason());
        }
      }
      assertTrue(visits >= 3, visits + " whole calls");
    }
  }

  private static Session held(Constraint constraint) {
    return model.newSession(
        Session.options().constraint(constraint).sampling(HOT.withSeed(7)).maxTokens(120));
  }
}
