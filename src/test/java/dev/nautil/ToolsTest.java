package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.annotation.Param;
import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class ToolsTest {
  enum Unit {
    CELSIUS,
    FAHRENHEIT
  }

  record Forecast(String city, LocalDate day, double degrees, @Nullable String note) {}

  static class Base<T> {
    @dev.nautil.annotation.Tool(description = "Of the superclass")
    String inherited(@Param(name = "value") T value) {
      return value.getClass().getSimpleName();
    }
  }

  static final class Weather extends Base<Integer> {
    @dev.nautil.annotation.Tool(name = "forecast", description = "The weather of a day")
    Forecast forecastOf(
        @Param(name = "city", description = "In English") String city,
        @Param(name = "day") Optional<LocalDate> day,
        @Param(name = "unit") @Nullable Unit unit) {
      return new Forecast(
          city, day.orElse(LocalDate.of(2024, 1, 1)), unit == Unit.FAHRENHEIT ? 32 : 0, null);
    }

    @dev.nautil.annotation.Tool
    void forget() {}

    @dev.nautil.annotation.Tool
    static long sum(@Param(name = "numbers") List<Long> numbers) {
      return numbers.stream().mapToLong(Long::longValue).sum();
    }

    public String notATool(String any) {
      return any;
    }
  }

  private static final Tools TOOLS = Tools.of(new Weather());

  private static String run(Tools tools, String name, String arguments) {
    ToolCall call = new ToolCall("id", name, arguments.replace('\'', '"'));
    Event.ToolResult result = ToolRunner.run(tools, call);
    assertEquals("id", result.result().callId());
    assertEquals(name, result.result().name());
    return result.result().content().replace('"', '\'');
  }

  private static String run(String name, String arguments) {
    return run(TOOLS, name, arguments);
  }

  @Test
  void findsAnnotatedMethods() {
    assertEquals(
        List.of("forecast", "forget", "inherited", "sum"),
        TOOLS.list().stream().map(Tool::name).sorted().toList());
    Tool forecast = TOOLS.get("forecast").orElseThrow();
    assertEquals("The weather of a day", forecast.description());
    assertEquals(
        "{'type':'object','properties':{'city':{'type':'string','description':'In English'},"
            + "'day':{'type':'string','format':'date'},"
            + "'unit':{'type':'string','enum':['CELSIUS','FAHRENHEIT']}},"
            + "'required':['city'],'additionalProperties':false}",
        forecast.schema().replace('"', '\''));
    assertTrue(TOOLS.get("inherited").orElseThrow().schema().contains("\"integer\""));
    assertTrue(TOOLS.get("inherited").orElseThrow().strictSchema().contains("2147483647"));
  }

  @Test
  void callsThem() {
    assertEquals(
        "{'city':'Oslo','day':'2024-05-06','degrees':32.0}",
        run("forecast", "{'city':'Oslo','day':'2024-05-06','unit':'FAHRENHEIT'}"));
    assertEquals(
        "{'city':'Oslo','day':'2024-01-01','degrees':0.0}",
        run("forecast", "{'city':'Oslo','unit':null}"));
    assertEquals("done", run("forget", "{}"));
    assertEquals("6", run("sum", "{'numbers':[1,2,3]}"));
    assertEquals("Integer", run("inherited", "{'value':5}"));
  }

  @Test
  void tellsTheModelWhatIsWrong() {
    Map<String, String> wrong =
        Map.of(
            "{}", "missing: \\'city\\'",
            "{'city':'x','town':1}", "unknown: \\'town\\'; known are [city, day, unit]",
            "{'city':'x','unit':'KELVIN'}", "unit: ",
            "{'city':'x','day':'tomorrow'}", "day: ",
            "{'city':null}", "city: there is no value",
            "{'city':{}}", "city: ",
            "[]", "JSON object",
            "{'city':", "no JSON",
            "", "no JSON");
    wrong.forEach(
        (arguments, problem) -> {
          String result = run("forecast", arguments);
          assertTrue(result.startsWith("{'error':'"), result);
          assertTrue(result.contains(problem), arguments + ": " + result);
        });
    assertTrue(run("sum", "{'numbers':[1,null]}").contains("numbers"));
    assertTrue(run("sum", "{'numbers':[1.5]}").contains("numbers"));
    String unknown = run("frecast", "{}");
    assertTrue(unknown.contains("no tool frecast") && unknown.contains("forecast"), unknown);
    assertTrue(run(ToolCall.UNREADABLE, "'x'").contains("could not be read"));
  }

  @Test
  void whatAToolThrowsIsAResult() throws Exception {
    IOException failure = new IOException("no network");
    Tools tools =
        Tools.of(
            Tool.of(
                "a",
                "",
                "{}",
                json -> {
                  throw failure;
                }),
            Tool.of(
                "b",
                "",
                "{}",
                json -> {
                  throw new IllegalStateException();
                }),
            Tool.of(
                "c",
                "",
                "{}",
                json -> {
                  throw new StackOverflowError();
                }),
            Tool.of(
                "d",
                "",
                "{}",
                json -> {
                  throw new InterruptedException();
                }),
            Tool.of("e", "", "{}", json -> null),
            Tool.of("h", "", Sum.class, sum -> new ToolCall("2", "x", "no").arguments(Sum.class)),
            Tool.of("f", "", "{}", json -> json + "!"),
            Tool.of(
                "g",
                "",
                "{}",
                json ->
                    new Object() {
                      @SuppressWarnings("unused")
                      public Object self = this;
                    }));
    Event.ToolResult result = ToolRunner.run(tools, new ToolCall("1", "a", "{}"));
    assertSame(failure, result.failure());
    assertEquals("{\"error\":\"IOException: no network\"}", result.result().content());
    result = ToolRunner.run(tools, new ToolCall("1", "h", "{\"a\":1,\"b\":2}"));
    assertInstanceOf(NautilException.class, result.failure());
    assertFalse(result.result().content().contains("arguments"), result.toString());
    assertEquals("{'error':'IllegalStateException'}", run(tools, "b", "{}"));
    assertThrows(StackOverflowError.class, () -> run(tools, "c", "{}"));
    assertThrows(CancelledException.class, () -> run(tools, "d", "{}"));
    assertTrue(Thread.interrupted());
    assertEquals("null", run(tools, "e", "{}"));
    assertEquals("{'n':1.50}!", run(tools, "f", "{'n': 1.50}"));
    assertTrue(run(tools, "g", "{}").contains("without JSON"));
    Method boom = Throwing.class.getDeclaredMethod("boom");
    assertEquals("boom", boom.getName());
    assertEquals("{'error':'IOException: method'}", run(Tools.of(new Throwing()), "boom", "{}"));
    assertNull(ToolRunner.run(TOOLS, new ToolCall("1", "forget", "{}")).failure());
  }

  static final class Throwing {
    @dev.nautil.annotation.Tool
    void boom() throws IOException {
      throw new IOException("method");
    }
  }

  record Sum(int a, int b) {}

  @Test
  void recordsAreArguments() {
    Tool add = Tool.of("add", "Adds.", Sum.class, sum -> sum.a() + sum.b());
    assertEquals("5", run(Tools.of(add), "add", "{'a':2,'b':3}"));
    assertEquals(new Sum(2, 3), new ToolCall("1", "add", "{\"a\":2,\"b\":3}").arguments(Sum.class));
    assertThrows(
        NautilException.class, () -> new ToolCall("1", "add", "{\"a\":2}").arguments(Sum.class));
    assertThrows(NautilException.class, () -> new ToolCall("1", "add", "{").arguments(Sum.class));
    assertThrows(
        NautilException.class, () -> new ToolCall("1", "add", "null").arguments(Sum.class));
    assertEquals(3, new ToolCall("1", "add", "3").arguments(int.class));
  }

  /** Also of a tool whose schema was given. */
  @Test
  void checksMembersOfGivenSchemas() {
    Tool tool =
        Tool.of(
            "t",
            "",
            "{'type':'object','properties':{'p':{'$ref':'#/$defs/P'}},'required':['p'],"
                    .replace('\'', '"')
                + "\"additionalProperties\":false,\"$defs\":{\"P\":{\"type\":\"object\","
                + "\"properties\":{\"x\":{}},\"required\":[\"x\"],"
                + "\"additionalProperties\":{\"type\":\"object\",\"required\":[\"y\"]}}}}",
            json -> "fine");
    Tools tools = Tools.of(tool);
    assertEquals("fine", run(tools, "t", "{'p':{'x':1,'more':{'y':1}}}"));
    assertTrue(run(tools, "t", "{'p':{}}").contains("missing: \\'p.x\\'"));
    assertTrue(run(tools, "t", "{'p':{'x':1,'more':{}}}").contains("missing: \\'p.more.y\\'"));
    assertTrue(run(tools, "t", "{'q':1}").contains("unknown: \\'q\\'"));
  }

  /** A model can write a name again that its schema does not list. */
  @Test
  void theLastOfANameCounts() {
    record Limits(Map<String, Integer> limits) {}
    Tools tools = Tools.of(Tool.of("limit", "", Limits.class, l -> l.limits()));
    String twice = "{'limits':{'a':1,'b':2,'a':3}}";
    assertEquals("{'a':3,'b':2}", run(tools, "limit", twice));
    ToolCall call = new ToolCall("1", "limit", twice.replace('\'', '"'));
    assertEquals(Map.of("a", 3, "b", 2), call.arguments(Limits.class).limits());
  }

  @Test
  void refusesWhatIsNoTool() {
    for (String name : List.of("", "a b", "é", "x".repeat(65), ToolCall.UNREADABLE)) {
      assertThrows(InvalidToolException.class, () -> Tool.declare(name, "", Sum.class), name);
    }
    String twice = "{\"properties\":{\"a\":{},\"a\":{}}}";
    for (String schema : List.of("", "[]", "{", "{\"type\":\"string\"}", "true", twice)) {
      InvalidToolException e =
          assertThrows(InvalidToolException.class, () -> Tool.declare("t", "", schema), schema);
      assertTrue(e.getMessage().contains(" t "), e.getMessage());
    }
    assertThrows(UnsupportedTypeException.class, () -> Tool.declare("t", "", String.class));
    assertThrows(UnsupportedTypeException.class, () -> Tool.declare("t", "", Thread.class));
    Tool one = Tool.declare("same", "", Sum.class);
    assertThrows(InvalidToolException.class, () -> Tools.of(one, one));
    assertThrows(InvalidToolException.class, () -> Tools.of("no tools in a string"));
    assertThrows(InvalidToolException.class, () -> Tools.of(new SameNames()));
    assertThrows(NullPointerException.class, () -> Tools.of(one, null));
    assertEquals(
        List.of("same", "boom"),
        Tools.of(one).and(Tools.of(new Throwing())).list().stream().map(Tool::name).toList());
    assertTrue(Tools.none().isEmpty() && Tools.of().isEmpty());
    assertFalse(TOOLS.isEmpty());
  }

  static final class SameNames {
    @dev.nautil.annotation.Tool
    void tool() {}

    @dev.nautil.annotation.Tool
    void tool(@Param(name = "a") int a) {}
  }

  static final class TwoOfOneName {
    @dev.nautil.annotation.Tool
    void tool(@Param(name = "a") int a, @Param(name = "a") int b) {}
  }

  static final class Nameless {
    @dev.nautil.annotation.Tool
    void tool(@Param(name = "a") int a, @Param(description = "b") String b) {}
  }

  static final class Callback {
    @dev.nautil.annotation.Tool
    void tool(@Param(name = "r") Runnable r) {}
  }

  static final class NoNumber {
    @dev.nautil.annotation.Tool
    void tool(@Param(name = "a") @Nullable int a) {}
  }

  static final class Later {
    @dev.nautil.annotation.Tool
    CompletableFuture<String> tool() {
      return CompletableFuture.completedFuture("later");
    }
  }

  static final class Gaps {
    @dev.nautil.annotation.Tool
    String tool(@Param(name = "a") Map<String, List<Optional<Integer>>> a) {
      return a.toString();
    }
  }

  @Test
  void parametersHaveGapsAsRecordsDo() {
    Tools tools = Tools.of(new Gaps());
    assertEquals("{x=[Optional[1], Optional.empty]}", run(tools, "tool", "{'a':{'x':[1,null]}}"));
  }

  @Test
  void namesTheParameterThatIsWrong() {
    String number =
        assertThrows(InvalidToolException.class, () -> Tools.of(new NoNumber())).getMessage();
    assertTrue(number.startsWith("the parameter a of NoNumber.tool"), number);
    String later =
        assertThrows(InvalidToolException.class, () -> Tools.of(new Later())).getMessage();
    assertTrue(later.startsWith("Later.tool returns a future"), later);
    assertTrue(
        assertThrows(InvalidToolException.class, () -> Tools.of(new TwoOfOneName()))
            .getMessage()
            .startsWith("two parameters of TwoOfOneName.tool have the name a"));
    String nameless =
        assertThrows(InvalidToolException.class, () -> Tools.of(new Nameless())).getMessage();
    assertTrue(nameless.startsWith("parameter 2 (String) of Nameless.tool has no name"), nameless);
    assertFalse(nameless.contains("arg1"), nameless);
    String type =
        assertThrows(UnsupportedTypeException.class, () -> Tools.of(new Callback())).getMessage();
    assertTrue(type.startsWith("Callback.tool.r: java.lang.Runnable"), type);
  }

  @Test
  void takesNamesFromTheClassFile(@TempDir Path folder) throws Exception {
    Path source = folder.resolve("Named.java");
    Files.writeString(
        source,
        "public class Named { @dev.nautil.annotation.Tool public String hello(String who, int n)"
            + " { return who.repeat(n); } }");
    String path = System.getProperty("java.class.path");
    String[] options = {"-parameters", "-cp", path, "-d", folder.toString(), source.toString()};
    assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, options));
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      Object named = loader.loadClass("Named").getDeclaredConstructor().newInstance();
      Tools tools = Tools.of(named);
      assertEquals("abab", run(tools, "hello", "{'who':'ab','n':2}"));
    }
  }

  /** Also of what is in a type of another package. */
  @Test
  void saysWhichPackageAModuleHasToOpen(@TempDir Path folder) throws Exception {
    Map<String, String> sources =
        Map.of(
            "module-info", "module shop { exports orders; }",
            "Order", "package orders; public record Order(guests.Guest guest) {}",
            "Guest", "package guests; public record Guest(String name) {}");
    List<String> command = new ArrayList<>(List.of("-d", folder.toString()));
    for (Map.Entry<String, String> source : sources.entrySet()) {
      Path file = folder.resolve(source.getKey() + ".java");
      command.add(Files.writeString(file, source.getValue()).toString());
    }
    String[] options = command.toArray(String[]::new);
    assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, options));
    ModuleFinder finder = ModuleFinder.of(folder);
    ModuleLayer boot = ModuleLayer.boot();
    ClassLoader loader =
        boot.defineModulesWithOneLoader(
                boot.configuration().resolve(finder, ModuleFinder.of(), Set.of("shop")),
                ClassLoader.getSystemClassLoader())
            .findLoader("shop");
    Class<?> order = loader.loadClass("orders.Order");
    Class<?> guest = loader.loadClass("guests.Guest");
    String needed = "add \"opens guests to com.fasterxml.jackson.databind\" to its module-info";
    ToolCall nested = new ToolCall("1", "order", "{\"guest\":{\"name\":\"Ada\"}}");
    ToolCall alone = new ToolCall("2", "invite", "{\"name\":\"Ada\"}");
    for (Executable read :
        List.<Executable>of(() -> nested.arguments(order), () -> alone.arguments(guest))) {
      String said = assertThrows(UnsupportedTypeException.class, read).getMessage();
      assertTrue(said.contains("guests.Guest") && said.contains(needed), said);
    }
  }

  @Test
  void choicesAreWhatTheySay() {
    assertEquals(ToolChoice.Mode.AUTO, Session.options().toolChoice().mode());
    assertEquals(Optional.of("t"), ToolChoice.named("t").name());
    assertThrows(
        IllegalArgumentException.class,
        () -> new ToolChoice(ToolChoice.Mode.NAMED, Optional.empty()));
    assertThrows(
        IllegalArgumentException.class,
        () -> new ToolChoice(ToolChoice.Mode.AUTO, Optional.of("t")));
    assertThrows(IllegalArgumentException.class, () -> Session.options().maxToolRounds(-1));
    assertThrows(IllegalArgumentException.class, () -> Session.options().raw().tools(TOOLS));
    assertThrows(IllegalArgumentException.class, () -> Session.options().tools(TOOLS).raw());
  }
}
