package dev.nautil.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A hostile template ends in a clear error, soon and within little memory. */
class LimitsTest {
  private static final ThreadMXBean CPU = ManagementFactory.getThreadMXBean();

  /** Loops are nested in this many characters of template, so that they run into the step limit. */
  private static final String NEST = "{% for b in range(100000) %}";

  static List<String> attacks() {
    return List.of(
        "{% for a in range(100000) %}" + NEST + "{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}" + NEST + "{{ a ~ b }}{% endfor %}{% endfor %}",
        "{{ range(10**12)|list }}",
        "{{ range(10**30)|list }}",
        "{% for x in range(100000) %}{% for y in range(100000)|list %}{% endfor %}{% endfor %}",
        "{{ 'x' * 10**10 }}",
        "{{ 'x' * 10**30 }}",
        "{{ [1] * 10**10 }}",
        "{{ (1, 2) * 10**9 }}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s|replace('x', 'xx') %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s]|join %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = '%s%s' % (ns.s, ns.s) %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = '{0}{0}'.format(ns.s) %}{% endfor %}",
        "{% set ns = namespace(s='\"') %}{% for i in range(100) %}{% set ns.s = ns.s|tojson %}{% endfor %}",
        "{% set ns = namespace(s='<') %}{% for i in range(100) %}{% set ns.s = ns.s|forceescape %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set q %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = q %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(100) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(100) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=1) %}{% for i in range(90) %}{% set ns.l = (ns.l, ns.l) %}{% endfor %}{{ {ns.l: 1} }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l={}) %}{% for i in range(99999) %}{% set ns.l = {'a': ns.l} %}{% endfor %}{{ ns.l|tojson }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l = ns.l + [i] %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99999) %}{% set ns.l = ns.l|map('string') %}{% endfor %}{{ ns.l|list }}",
        "{% set ns = namespace() %}{% set ns.self = ns %}{{ ns }}",
        "{% set ns = namespace() %}{% set ns.self = [ns, ns] %}{{ ns }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(x) %}{% for i in [1] %}{% if true %}{{ 1 + (2 * m(x)|length) }}{% endif %}{% endfor %}{% endmacro %}{{ m(1) }}",
        "{% macro m(x=m()) %}{% endmacro %}{{ m() }}",
        "{% macro a() %}{{ caller() }}{% endmacro %}{% macro m() %}{% call a() %}{{ m() }}{% endcall %}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{{ m(n) ~ m(n) }}{% endmacro %}{{ m(1) }}",
        "{% for x in [[]] recursive %}{{ loop([x]) }}{% endfor %}",
        "{{ 10**(10**8) }}",
        "{{ 2**100000 }}",
        "{% set ns = namespace(n=3) %}{% for i in range(100000) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
        "{% set n = 7**11000 %}{% for i in range(100000) %}{% set q = n % 12345678901234567891 + n // 3 + n * 1 %}{% endfor %}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%.1000000000f' % 1.5 }}",
        "{{ '%.1000000000d' % 1 }}",
        "{{ '%*s' % (10**9, 'x') }}",
        "{{ '%99999999999s' % 1 }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ '{:.1000000000f}'.format(1.5) }}",
        "{{ '{:.999999999e}'.format(1.5) }}",
        "{{ '{:0999999999,}'.format(1) }}",
        "{{ '{:{}}'.format(1, 10**9) }}",
        "{{ 'x'|center(10**9) }}",
        "{{ 'x'.ljust(10**9) }}",
        "{{ 'x'.rjust(10**30) }}",
        "{{ 'x'.zfill(10**9) }}",
        "{{ 'a\tb'.expandtabs(10**9) }}",
        "{{ 'a\nb'|indent(10**9) }}",
        "{{ ('a\n' * 1000)|indent('x' * 1000000) }}",
        "{{ ('a' * 100000)|replace('a', 'b' * 100000) }}",
        "{{ ('a' * 100000)|replace('', 'b' * 100000) }}",
        "{{ ('a' * 100000)|list|join('b' * 100000) }}",
        "{{ ('a' * 10000000)|list }}",
        "{{ ('a ' * 10000000).split() }}",
        "{{ ('a\n' * 10000000).splitlines() }}",
        "{{ [1]|batch(10**9, 0)|list }}",
        "{{ [1]|slice(10**9, 0)|list }}",
        "{{ [[1]]|tojson(indent=10**9) }}",
        "{{ range(1000)|list|tojson(indent='x' * 1000000) }}",
        "{{ range(100000)|list|tojson(separators=('x' * 10000, ':')) }}",
        "{{ ('a' * 30000000) in ('a' * 30000000 ~ 'b') }}{% for i in range(100000) %}{{ ('a' * 100000 ~ 'b') in ('a' * 200000) }}{% endfor %}",
        "{% set t = 'a' * 1000000 %}{% set p = 'a' * 500000 ~ 'b' %}{% for i in range(100000) %}{% if p in t %}{% endif %}{{ t.rfind(p) }}{{ t.count(p) }}{% endfor %}",
        "{% set t = 'a' * 1000000 %}{% for i in range(100000) %}{% if t == t ~ '' %}{% endif %}{% endfor %}",
        "{% set t = 'a' * 1000000 %}{% for i in range(100000) %}{% set q = t.upper() %}{% endfor %}",
        "{% set t = '\ud83d\ude00' * 1000000 %}{% for i in range(100000) %}{% set q = t[i] %}{% endfor %}",
        "{% set t = 'a' * 1000000 %}{% for i in range(100000) %}{% set q = t.strip('b') ~ t.isalpha() ~ (t is lower) ~ t|wordcount %}{% endfor %}",
        "{% set t = ' ' * 1000000 %}{% for i in range(100000) %}{% set q = t.strip() %}{% endfor %}",
        "{% set t = 'a' * 1000000 %}{% for i in range(100000) %}{% set q = t|title|length + t|urlencode|length + t|wordwrap(10)|length %}{% endfor %}",
        "{% set l = range(100000)|list %}{% for i in l %}{% if l == l + [] %}{% endif %}{% if -1 in l %}{% endif %}{% set q = l|sort|unique|list %}{% endfor %}",
        "{% set l = range(100000)|list %}{% for i in l %}{% set q = l|sum %}{% set q = l|max %}{% endfor %}",
        "{% for i in range(100000) %}{{ 'x' * 10000 }}{% endfor %}",
        "{% for i in range(100000) %}" + "x".repeat(10_000) + "{% endfor %}",
        "{% set ns = namespace(d={}) %}{% for i in range(100000) %}{% set ns.d = dict(ns.d, **{i|string: i}) %}{% endfor %}",
        "{{ dict([('a', 1)] * 100000000) }}",
        "{{ ('1' * 1000000)|int }}{{ ('1' * 100000000)|int }}",
        "{{ ('1' * 10000000)|float }}{{ 1 / 0 }}",
        "{{ ('{' * 999999).format(1) }}",
        "{{ ('{0}' * 1000000).format('x' * 1000) }}",
        "{{ ('%s' * 1000000) % ((1,) * 1000000) }}{% for i in range(100000) %}{{ '%s' % ('x' * 10000) }}{% endfor %}",
        "{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}",
        "{{ " + "[".repeat(100_000) + "]".repeat(100_000) + " }}",
        "{{ " + "{1:".repeat(100_000) + "1" + "}".repeat(100_000) + " }}",
        "{{ " + "not ".repeat(100_000) + "1 }}",
        "{{ " + "- ".repeat(100_000) + "1 }}",
        "{{ " + "1 + ".repeat(100_000) + "1 }}",
        "{{ " + "1 and ".repeat(100_000) + "1 }}",
        "{{ 1" + "|string".repeat(100_000) + " }}",
        "{{ 1" + ".a".repeat(100_000) + " }}",
        "{{ 1" + "[0]".repeat(100_000) + " }}",
        "{{ 1" + "()".repeat(100_000) + " }}",
        "{{ " + "f(".repeat(100_000) + ")".repeat(100_000) + " }}",
        "{{ 1" + " if 1 else 2".repeat(60_000) + " }}",
        "{{ 1" + " if 1".repeat(100_000) + " }}",
        "{{ 1 is " + "x[".repeat(100_000) + "]".repeat(100_000) + " }}",
        "{% set " + "(".repeat(100_000) + ")".repeat(100_000) + " %}",
        "{% if 1 %}".repeat(50_000),
        "{% for a in b %}".repeat(50_000),
        "{% macro a() %}".repeat(50_000),
        "{% filter a %}".repeat(50_000),
        "{% raw %}".repeat(50_000),
        "x".repeat(2_000_000));
  }

  @BeforeAll
  static void load() {
    // A test has a second: loading the classes is not what it measures.
    ChatTemplate.compile("{% for x in [1] %}{{ '%s' % x ~ '{}'.format(x)|tojson }}{% endfor %}")
        .render(Map.of());
  }

  @ParameterizedTest
  @MethodSource("attacks")
  @Timeout(value = 20, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void endsInAnError(String source) {
    long start = CPU.getCurrentThreadCpuTime();
    TemplateException e =
        assertThrows(TemplateException.class, () -> ChatTemplate.compile(source).render(Map.of()));
    // The time of this thread alone: the machine may be busy with other work.
    long millis = (CPU.getCurrentThreadCpuTime() - start) / 1_000_000;
    assertTrue(millis < 1_000, millis + " ms");
    assertTrue(e.reason().length() < 300, e.reason());
    assertTrue(e.line() >= 1);
  }

  @Test
  void manyBranchesAndNamesCompileInLinearTime() {
    StringBuilder source = new StringBuilder();
    for (int i = 0; i < 4_000; i++) {
      source
          .append("{% if x")
          .append(i)
          .append(" %}{% set y")
          .append(i)
          .append(" = 1 %}{% endif %}");
    }
    Assertions.assertTimeout(
        Duration.ofSeconds(5), () -> ChatTemplate.compile(source.toString()).render(Map.of()));
  }

  @Test
  void limitsAreTheCallersToSet() {
    ChatTemplate loop = ChatTemplate.compile("{% for i in range(1000) %}{{ i }}{% endfor %}");
    RenderOptions options = RenderOptions.defaults();
    assertReason("step limit", loop, options.withMaxSteps(100));
    assertReason("output limit", loop, options.withMaxOutput(100));
    assertReason("memory limit", loop, options.withMaxMemory(100));
    assertReason("depth limit", loop, options.withMaxDepth(5));
    assertThrows(IllegalArgumentException.class, () -> options.withMaxSteps(0));
  }

  private static void assertReason(String reason, ChatTemplate template, RenderOptions options) {
    TemplateException e =
        assertThrows(TemplateException.class, () -> template.render(Map.of(), options));
    assertTrue(e.reason().endsWith(reason), e.reason());
  }

  @Test
  @Timeout(value = 20, unit = TimeUnit.SECONDS)
  void aLongMessageIsNoAttack() {
    String message = "0123456789 <b> \"quoted\" \n".repeat(400_000);
    ChatTemplate template =
        ChatTemplate.compile(
            "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content|trim"
                + " + '<|im_end|>' }}{{ m.content.split('</think>')[-1].lstrip('\n')|length }}"
                + "{{ m|tojson }}{% endfor %}");
    Map<String, Object> context =
        Map.of("messages", List.of(Map.of("role", "user", "content", message)));
    String text = template.render(context).text();
    assertTrue(text.length() > 2 * message.length());
  }

  @Test
  void manyMessagesAreNoAttack() {
    Map<String, Object> message = Map.of("role", "user", "content", "Hello. ".repeat(20));
    ChatTemplate template =
        ChatTemplate.compile(
            "{% for m in messages %}{% if m.role == 'user' and m.content is string %}"
                + "{{ '<|user|>' ~ m.content|trim ~ loop.index }}{% endif %}{% endfor %}");
    String text =
        template.render(Map.of("messages", java.util.Collections.nCopies(20_000, message))).text();
    assertEquals(20_000, text.split("<\\|user\\|>", -1).length - 1);
  }

  @Test
  void aContextThatHoldsItselfIsRefused() {
    Map<String, Object> cyclic = new HashMap<>();
    cyclic.put("me", cyclic);
    assertThrows(IllegalArgumentException.class, () -> ChatTemplate.compile("").render(cyclic));
    assertThrows(
        IllegalArgumentException.class,
        () -> ChatTemplate.compile("").render(Map.of("x", new Object())));
  }

  @Test
  void aSmallStackIsAnErrorToo() throws InterruptedException {
    Throwable[] thrown = new Throwable[1];
    ChatTemplate template = ChatTemplate.compile("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}");
    Thread thread =
        new Thread(
            null,
            () -> {
              try {
                template.render(Map.of(), RenderOptions.defaults().withMaxDepth(1_000_000));
              } catch (Throwable t) {
                thrown[0] = t;
              }
            },
            "small",
            200_000);
    thread.start();
    thread.join();
    Assertions.assertInstanceOf(TemplateException.class, thrown[0]);
  }
}
