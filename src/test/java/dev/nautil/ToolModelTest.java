package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.annotation.Param;
import dev.nautil.engine.Engine;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tools with a real model, small as it is. */
@Timeout(120)
class ToolModelTest {
  record Place(@Param(description = "Name of a city") String city) {}

  private static Session sessionThatCalls(Model model, Tool.Action<Place> weather, int maxTokens) {
    Tool tool = Tool.of("get_weather", "The weather in a city.", Place.class, weather);
    return model.newSession(
        Session.options()
            .sampling(Sampling.greedy())
            .maxTokens(maxTokens)
            .tools(Tools.of(tool))
            .toolChoice(ToolChoice.named("get_weather")));
  }

  @Test
  void aDemandedCallIsMadeAndAnswered() {
    List<String> asked = new ArrayList<>();
    Tool.Action<Place> weather =
        place -> {
          asked.add(place.city());
          return "Heavy rain, 7 °C.";
        };
    try (Model model = Model.open(TestModels.smolLm2(), Model.options().contextSize(4096))) {
      Session session = sessionThatCalls(model, weather, 80);
      Reply reply = session.send("What is the weather in Paris?");
      Message.Assistant call = assertInstanceOf(Message.Assistant.class, session.history().get(1));
      assertEquals("get_weather", call.toolCalls().get(0).name());
      assertEquals(List.of("Paris"), asked);
      assertEquals("Heavy rain, 7 °C.", session.history().get(2).content());
      assertTrue(reply.usage().cachedTokens() > reply.usage().promptTokens() / 3, "reuse");
    }
  }

  /** What tools did cannot be taken back, so that the reply to it waits where others may not. */
  @Test
  void aTurnThatWasBegunGoesOnThoughTheModelIsBusy() {
    try (Model model =
        Model.open(TestModels.smolLm2(), Model.options().contextSize(512).maxWaiting(0))) {
      List<Reply.Stream> others = new ArrayList<>();
      SessionOptions raw = Session.options().raw().sampling(Sampling.greedy()).maxTokens(60);
      Tool.Action<Place> fills =
          place -> {
            for (int i = 0; i < Engine.PLACES; i++) {
              others.add(model.newSession(raw).stream("Number " + i));
            }
            assertThrows(BusyException.class, () -> model.newSession(raw).send("One more"));
            return "Heavy rain, 7 °C.";
          };
      Session session = sessionThatCalls(model, fills, 40);
      session.send("What is the weather in Paris?");
      assertEquals(Engine.PLACES, others.size());
      assertEquals("Heavy rain, 7 °C.", session.history().get(2).content());
      others.forEach(Reply.Stream::close);
    }
  }
}
