package dev.nautil.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a caller sees: values in, errors out. */
class ChatTemplateTest {
  private static String render(String source, Map<String, ?> context) {
    return ChatTemplate.compile(source).render(context, Conformance.OPTIONS).text();
  }

  private static TemplateException error(String source) {
    return assertThrows(TemplateException.class, () -> render(source, Map.of()));
  }

  @Test
  void javaValuesPrintAsPythons() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("z", Arrays.asList(1, 2L, (short) 3, new BigInteger("12345678901234567890")));
    values.put("a", Arrays.asList(1.5, 0.1f, new BigDecimal("2.50"), true, null, "é"));
    assertEquals(
        "{'z': [1, 2, 3, 12345678901234567890], 'a': [1.5, 0.1, 2.5, True, None, 'é']}",
        render("{{ v }}", Map.of("v", values)));
    assertEquals("None", render("{{ v }}", Collections.singletonMap("v", null)));
  }

  @Test
  void datesAreTheSameInEveryLocale() {
    Locale locale = Locale.getDefault();
    String expected = render("{{ strftime_now('%e %f %j %k %l') }}", Map.of());
    Locale.setDefault(Locale.forLanguageTag("ar-EG"));
    try {
      assertEquals(expected, render("{{ strftime_now('%e %f %j %k %l') }}", Map.of()));
    } finally {
      Locale.setDefault(locale);
    }
  }

  @Test
  void anErrorNamesItsLine() {
    TemplateException e = error("a\nb\n{{ x.y }}");
    assertEquals(3, e.line());
    assertEquals("'x' is undefined", e.reason());
    assertEquals("template line 3: 'x' is undefined", e.getMessage());
    assertFalse(e.raisedByTemplate());
    assertEquals(2, error("a\n{% if %}").line());
    assertEquals(2, error("a\n{{ 'b }}").line());
    assertEquals(4, error("{# \n\n #}\n{{ 1 / 0 }}").line());
  }

  @Test
  void aTemplateRaisesItsOwnErrors() {
    TemplateException e = error("{{ raise_exception('Roles must alternate') }}");
    assertTrue(e.raisedByTemplate());
    assertEquals("Roles must alternate", e.reason());
  }

  @Test
  void whatIsLeftOutSaysSo() {
    assertTrue(error("{% include 'x' %}").reason().contains("'include' is not supported"));
    assertTrue(error("{% autoescape true %}{% endautoescape %}").reason().contains("autoescape"));
    assertTrue(error("{{ x|urlize }}").reason().contains("'urlize'"));
  }

  @Test
  void oneTemplateServesManyThreads() {
    ChatTemplate template =
        ChatTemplate.compile(
            "{% set ns = namespace(t=0) %}{% for i in range(n) %}"
                + "{% set ns.t = ns.t + i %}{% endfor %}{{ ns.t }}");
    IntStream.range(0, 200)
        .parallel()
        .forEach(
            n ->
                assertEquals(
                    Integer.toString(n * (n - 1) / 2), template.render(Map.of("n", n)).text()));
  }

  @Test
  void anEmptyTemplateRendersNothing() {
    assertEquals("", render("", Map.of()));
    assertEquals(
        List.of(),
        IntStream.of(ChatTemplate.compile("").render(Map.of()).trustedSpans()).boxed().toList());
  }
}
