package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.annotation.Param;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tools with a real model, small as it is. */
@Timeout(120)
class ToolModelTest {
  record Place(@Param(description = "Name of a city") String city) {}

  @Test
  void aDemandedCallIsMadeAndAnswered() {
    List<String> asked = new ArrayList<>();
    Tool weather =
        Tool.of(
            "get_weather",
            "The weather in a city.",
            Place.class,
            place -> {
              asked.add(place.city());
              return "Heavy rain, 7 °C.";
            });
    try (Model model = Model.open(TestModels.smolLm2(), Model.options().contextSize(4096))) {
      Session session =
          model.newSession(
              Session.options()
                  .sampling(Sampling.greedy())
                  .maxTokens(80)
                  .tools(Tools.of(weather))
                  .toolChoice(ToolChoice.named("get_weather")));
      Reply reply = session.send("What is the weather in Paris?");
      Message.Assistant call = assertInstanceOf(Message.Assistant.class, session.history().get(1));
      assertEquals("get_weather", call.toolCalls().get(0).name());
      assertEquals(List.of("Paris"), asked);
      assertEquals("Heavy rain, 7 °C.", session.history().get(2).content());
      assertTrue(reply.usage().cachedTokens() > reply.usage().promptTokens() / 3, "reuse");
    }
  }
}
