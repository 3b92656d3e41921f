package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.Sampling.Dry;
import dev.nautil.Sampling.DynamicTemperature;
import dev.nautil.Sampling.Mirostat;
import dev.nautil.Sampling.Penalties;
import dev.nautil.Sampling.Stage;
import dev.nautil.Sampling.Xtc;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SamplingTest {
  private static final Sampling HOT = Sampling.neutral().withTemperature(1.3f).withSeed(5);
  private static final String QUESTION = "Name some animals.";

  private static Model model;

  @BeforeAll
  static void open() {
    model = Model.open(TestModels.smolLm2(), Model.options().contextSize(2048));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static SessionOptions options(Sampling sampling) {
    return Session.options().sampling(sampling).maxTokens(40);
  }

  private static Reply reply(Sampling sampling) {
    return model.newSession(options(sampling).logprobs(3)).send(QUESTION);
  }

  private static List<Integer> ids(Reply reply) {
    return reply.logprobs().stream().map(TokenLogprob::id).toList();
  }

  /** The core's tests hold each sampler to its definition; here it is that each one reaches it. */
  @Test
  void eachSettingChangesTheReplyAndIsReproducible() {
    List<Integer> plain = ids(reply(HOT));
    assertEquals(plain, ids(reply(HOT)));
    List<Sampling> changed =
        List.of(
            HOT.withSeed(6),
            HOT.withTemperature(0.4f),
            HOT.withDynamicTemperature(new DynamicTemperature(1, 1)),
            HOT.withTopK(2),
            HOT.withTopP(0.3f),
            HOT.withMinP(0.3f),
            HOT.withTypicalP(0.2f),
            HOT.withTopNSigma(0.5f),
            HOT.withXtc(new Xtc(1, 0.05f)),
            HOT.withPenalties(new Penalties(1.5f, 0, 0, -1)),
            HOT.withPenalties(new Penalties(1, 1.5f, 0, -1)),
            HOT.withPenalties(new Penalties(1, 0, 3, 64)),
            HOT.withDry(new Dry(5, 2, 1, -1, List.of())),
            HOT.withMirostat(Mirostat.of(1)),
            HOT.withLogitBias(Map.of(plain.get(0), Float.NEGATIVE_INFINITY)));
    for (Sampling sampling : changed) {
      List<Integer> ids = ids(reply(sampling));
      assertNotEquals(plain, ids, sampling.toString());
      assertEquals(ids, ids(reply(sampling)), sampling.toString());
    }
  }

  @Test
  void topKLeavesTheMostProbable() {
    for (TokenLogprob token : reply(HOT.withTopK(3)).logprobs()) {
      assertTrue(token.alternatives().stream().anyMatch(a -> a.id() == token.id()));
    }
  }

  @Test
  void theOrderSaysWhatRuns() {
    Sampling narrow = HOT.withTopK(1).withOrder(List.of(Stage.TEMPERATURE));
    assertEquals(ids(reply(HOT)), ids(reply(narrow)));
    Sampling greedy = HOT.withTopK(1);
    assertEquals(ids(reply(Sampling.greedy())), ids(reply(greedy)));
  }

  @Test
  void aPenaltyThatForbidsRepetitionLeavesNone() {
    List<Integer> ids = ids(reply(HOT.withPenalties(new Penalties(1, 0, 1e6f, -1))));
    assertEquals(ids.stream().distinct().count(), ids.size());
  }

  /** Greedily, a small model repeats itself soon. */
  @Test
  void dryEndsARepetition() {
    String loop = "one two three four. one two three four. one two three four. one two";
    SessionOptions raw =
        Session.options().raw().maxTokens(8).sampling(Sampling.greedy()).logprobs(0);
    String plain = model.newSession(raw).send(loop).text();
    assertTrue(plain.startsWith(" three four."), plain);
    Sampling dry = Sampling.greedy().withDry(new Dry(50, 2, 2, -1, List.of("\n")));
    String changed = model.newSession(raw.sampling(dry)).send(loop).text();
    assertFalse(changed.startsWith(" three"), changed);
    // No sequence reaches over a breaker, and " two" is one token after another one.
    Sampling broken = Sampling.greedy().withDry(new Dry(50, 2, 2, -1, List.of("t")));
    assertEquals(plain, model.newSession(raw.sampling(broken)).send(loop).text());
  }

  @Test
  void logprobsAreTheModelsBeforeSampling() {
    List<TokenLogprob> hot = reply(Sampling.greedy()).logprobs();
    for (TokenLogprob token : hot) {
      assertEquals(3, token.alternatives().size());
      assertEquals(token.id(), token.alternatives().get(0).id());
      assertEquals(token.text(), token.alternatives().get(0).text());
      assertEquals(token.logprob(), token.alternatives().get(0).logprob());
      assertTrue(token.logprob() < 0 && token.logprob() >= token.alternatives().get(1).logprob());
    }
    // With a bias that leaves no choice, they are what they were.
    int forced = hot.get(0).alternatives().get(2).id();
    Reply biased = reply(Sampling.greedy().withLogitBias(Map.of(forced, 1e9f)));
    assertEquals(forced, biased.logprobs().get(0).id());
    assertEquals(
        hot.get(0).alternatives().get(2).logprob(), biased.logprobs().get(0).logprob(), 1e-5);
  }

  @Test
  void logprobsStreamWithTheText() {
    Session session = model.newSession(options(HOT).logprobs(0));
    List<TokenLogprob> told = new ArrayList<>();
    Reply reply;
    try (Reply.Stream stream = session.stream(QUESTION)) {
      for (Event event : stream) {
        if (event instanceof Event.Text text) {
          told.addAll(text.logprobs());
        }
      }
      reply = stream.reply();
    }
    assertEquals(reply.usage().replyTokens(), reply.logprobs().size());
    assertEquals(reply.logprobs().subList(0, told.size()), told);
    assertTrue(told.size() >= reply.logprobs().size() - 4, told.size() + " told");
    String text = reply.logprobs().stream().map(TokenLogprob::text).collect(Collectors.joining());
    assertEquals(reply.text(), text);
    assertEquals(List.of(), model.newSession(options(HOT)).send(QUESTION).logprobs());
  }

  @Test
  void aTextsScoresAreThoseOfItsGeneration() {
    SessionOptions raw =
        Session.options().raw().maxTokens(12).sampling(Sampling.greedy()).logprobs(2);
    String start = "The capital of France is";
    Reply reply = model.newSession(raw).send(start);
    List<TokenLogprob> scores = model.score(start + reply.text(), 2);
    List<TokenLogprob> last =
        scores.subList(scores.size() - reply.logprobs().size(), scores.size());
    for (int i = 0; i < last.size(); i++) {
      assertSameScore(reply.logprobs().get(i), last.get(i));
    }
    assertEquals(model.countTokens(start + reply.text()) - 1, scores.size());
    assertEquals(List.of(), model.score(""));
    String probable = "The sky is blue.";
    String improbable = "The sky blue is.";
    assertTrue(sum(model.score(probable)) > sum(model.score(improbable)));
    assertThrows(IllegalArgumentException.class, () -> model.score(probable, -1));
    assertThrows(ContextFullException.class, () -> model.score("word ".repeat(3000)));
  }

  /** A reply is a part of the next prompt, and was scored when it was drawn. */
  @Test
  void aPromptsScoresAreThoseOfTheRepliesInIt() {
    SessionOptions options =
        Session.options().maxTokens(12).sampling(Sampling.greedy()).logprobs(2);
    Session session = model.newSession(options);
    List<TokenLogprob> first = session.scorePrompt(QUESTION, 0);
    Reply reply = session.send(QUESTION);
    assertEquals(reply.usage().promptTokens() - 1, first.size());
    List<TokenLogprob> scores = session.scorePrompt("And then?", 2);
    for (int i = 0; i < first.size(); i++) {
      assertEquals(first.get(i).id(), scores.get(i).id());
      assertEquals(first.get(i).logprob(), scores.get(i).logprob(), 0.02);
    }
    for (int i = 0; i < reply.logprobs().size(); i++) {
      assertSameScore(reply.logprobs().get(i), scores.get(first.size() + i));
    }
    assertEquals(2, session.history().size());
    Reply next = session.send("And then?");
    assertEquals(next.usage().promptTokens() - 1, scores.size());
    assertThrows(IllegalArgumentException.class, () -> session.scorePrompt("", -1));
    assertThrows(ContextFullException.class, () -> session.scorePrompt("word ".repeat(3000), 0));
  }

  /** The prompt's products are of other shapes than a step's, and round differently. */
  private static void assertSameScore(TokenLogprob drawn, TokenLogprob scored) {
    assertEquals(drawn.id(), scored.id());
    assertEquals(drawn.logprob(), scored.logprob(), 0.02);
    assertEquals(2, scored.alternatives().size());
    for (int i = 0; i < 2; i++) {
      double expected = drawn.alternatives().get(i).logprob();
      assertEquals(expected, scored.alternatives().get(i).logprob(), 0.02);
    }
    double lead = drawn.alternatives().get(0).logprob() - drawn.alternatives().get(1).logprob();
    if (lead > 0.04) {
      assertEquals(drawn.alternatives().get(0).id(), scored.alternatives().get(0).id());
    }
  }

  private static double sum(List<TokenLogprob> scores) {
    return scores.stream().mapToDouble(TokenLogprob::logprob).sum();
  }

  @Test
  void refusesContradictions() {
    Sampling mirostat = Sampling.neutral().withMirostat(Mirostat.of(5));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> Sampling.defaults().withMirostat(Mirostat.of(5)));
    assertTrue(e.getMessage().contains("topK, topP, minP"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> mirostat.withTopK(1));
    assertThrows(IllegalArgumentException.class, () -> mirostat.withXtc(new Xtc(1, 0.1f)));
    assertThrows(IllegalArgumentException.class, () -> mirostat.withTemperature(0));
    assertEquals(Sampling.neutral(), mirostat.withoutMirostat());
    Sampling dynamic = Sampling.neutral().withDynamicTemperature(new DynamicTemperature(1, 1));
    assertThrows(IllegalArgumentException.class, () -> dynamic.withTemperature(0));
    assertThrows(IllegalArgumentException.class, () -> dynamic.withOrder(List.of()));
    assertThrows(
        IllegalArgumentException.class, () -> dynamic.withOrder(List.of(Stage.TOP_K, Stage.TOP_K)));
    assertThrows(IllegalArgumentException.class, () -> dynamic.withLogitBias(Map.of(-1, 1f)));
    assertThrows(IllegalArgumentException.class, () -> dynamic.withLogitBias(Map.of(1, Float.NaN)));
  }

  @Test
  void aBiasForNoTokenIsToldBeforeAnythingRuns() {
    SessionOptions options = options(HOT.withLogitBias(Map.of(1_000_000, 1f)));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> model.newSession(options));
    assertTrue(e.getMessage().contains("token 1000000"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Session.options().logprobs(-1));
  }
}
