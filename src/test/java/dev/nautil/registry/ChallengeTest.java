package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** WWW-Authenticate, of which RFC 9110 says that it wants special care. */
class ChallengeTest {
  private static List<Challenge> parse(String... headers) {
    return Challenge.parse(List.of(headers));
  }

  private static Challenge challenge(String scheme, Map<String, String> parameters) {
    return new Challenge(scheme, parameters);
  }

  @Test
  void one() {
    assertEquals(
        List.of(
            challenge(
                "bearer",
                Map.of(
                    "realm", "https://auth.docker.io/token",
                    "service", "registry.docker.io",
                    "scope", "repository:ai/m:pull,push"))),
        parse(
            "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
                + "scope=\"repository:ai/m:pull,push\""));
    assertEquals(List.of(challenge("basic", Map.of())), parse("Basic"));
    assertEquals(List.of(), parse());
    assertEquals(List.of(), parse("", " , "));
  }

  @Test
  void several() {
    List<Challenge> expected =
        List.of(
            challenge(
                "newauth", Map.of("realm", "apps", "type", "1", "title", "Login to \"a, b\"")),
            challenge("basic", Map.of("realm", "simple")));
    // The RFC's example.
    String first = "Newauth realm=\"apps\", type=1, title=\"Login to \\\"a, b\\\"\"";
    assertEquals(expected, parse(first + ", Basic realm=\"simple\""));
    assertEquals(expected, parse(first, "Basic realm=\"simple\""));
    assertEquals(expected, parse(", " + first + ",,\t, BASIC REALM = simple ,"));
  }

  @Test
  void withTokensInPlaceOfParameters() {
    List<Challenge> all = parse("Negotiate, NTLM TlRMTVNTUAAB==, Bearer realm=\"x\"");
    Challenge last = all.get(all.size() - 1);
    assertEquals(challenge("bearer", Map.of("realm", "x")), last);
    assertEquals("negotiate", all.get(0).scheme());
  }

  @Test
  void malformed() {
    assertEquals("a,b", parse("Bearer realm=\"a,b").get(0).parameters().get("realm"));
    assertEquals("", parse("Bearer realm=").get(0).parameters().get("realm"));
    assertEquals("a\\", parse("Bearer realm=\"a\\").get(0).parameters().get("realm"));
    // The first counts, as for a reader who stops there.
    assertEquals("a", parse("Bearer realm=a, realm=b").get(0).parameters().get("realm"));
  }

  /** Neither a loop nor an exception, and no level of the stack a character. */
  @Test
  void anything() {
    Random random = new Random(5);
    String alphabet = "ab=\"\\, \t\0é;B";
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          for (int i = 0; i < 20_000; i++) {
            List<String> headers = new ArrayList<>();
            for (int n = random.nextInt(3); n >= 0; n--) {
              StringBuilder header = new StringBuilder();
              for (int length = random.nextInt(30); length > 0; length--) {
                header.append(alphabet.charAt(random.nextInt(alphabet.length())));
              }
              headers.add(header.toString());
            }
            for (Challenge each : Challenge.parse(headers)) {
              assertTrue(each.scheme().matches("[ab]+"), each.scheme());
            }
          }
          for (String part :
              List.of("a", "\"", "\\\"", "a=\"", ",", "a=b,", " ", "é", "a=\"\\\\\"")) {
            parse(part.repeat(300_000));
            parse("Bearer a=\"" + part.repeat(300_000));
          }
        });
  }

  /** What is written by the grammar is read as it was meant. */
  @Test
  void whatIsWrittenIsRead() {
    Random random = new Random(6);
    String alphabet = "ab \\\",=:/é";
    for (int i = 0; i < 5_000; i++) {
      StringBuilder text = new StringBuilder();
      List<Challenge> expected = new ArrayList<>();
      for (int n = random.nextInt(3); n >= 0; n--) {
        String value =
            random
                .ints(random.nextInt(8), 0, alphabet.length())
                .collect(
                    StringBuilder::new,
                    (all, at) -> all.append(alphabet.charAt(at)),
                    StringBuilder::append)
                .toString();
        text.append(text.isEmpty() ? "" : random.nextBoolean() ? "," : ", ");
        text.append("Scheme").append(n).append(" x=y, realm=\"");
        text.append(value.replace("\\", "\\\\").replace("\"", "\\\"")).append('"');
        expected.add(challenge("scheme" + n, Map.of("x", "y", "realm", value)));
      }
      assertEquals(expected, parse(text.toString()), text.toString());
    }
  }
}
