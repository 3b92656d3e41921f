package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.TestModels;
import dev.nautil.engine.ToolCallReader.Call;
import dev.nautil.engine.ToolCallReader.Part;
import dev.nautil.engine.ToolCallReader.Text;
import dev.nautil.engine.ToolCallReader.Unreadable;
import dev.nautil.internal.NativeFile;
import dev.nautil.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each reply is read whole, and in pieces of one and of three characters. */
class ToolCallReaderTest {
  private static final ToolSyntax LLAMA =
      new ToolSyntax(ToolSyntax.Style.LLAMA, "", "", "parameters", "", "; ", false);

  /** Has no markers among its tokens. */
  private static final Tokenizer PLAIN = tokenizer("SmolLM2-135M-Instruct.Q4_1.gguf");

  /** Has [TOOL_CALLS]. */
  private static final Tokenizer TEKKEN = tokenizer("tekken-tiny.gguf");

  private static Tokenizer tokenizer(String name) {
    try (NativeFile file = NativeFile.open(TestModels.path(name), false)) {
      return Vocabularies.tokenizer(file);
    }
  }

  private static List<Part> read(ToolCallReader reader, String reply, int piece, boolean whole) {
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < reply.length(); i += piece) {
      parts.addAll(reader.accept(reply.substring(i, Math.min(reply.length(), i + piece))));
    }
    parts.addAll(reader.finish(whole));
    return parts;
  }

  /** Texts that follow each other are one. */
  private static List<Part> joined(List<Part> parts) {
    List<Part> joined = new ArrayList<>();
    for (Part part : parts) {
      int last = joined.size() - 1;
      if (part instanceof Text more && last >= 0 && joined.get(last) instanceof Text before) {
        joined.set(last, new Text(before.text() + more.text()));
      } else {
        joined.add(part);
      }
    }
    return joined;
  }

  private static void check(ToolSyntax syntax, boolean whole, String reply, Part... expected) {
    String json = reply.replace('\'', '"');
    for (int piece : new int[] {1000, 1, 3}) {
      List<Part> parts = read(syntax.newReader(PLAIN), json, piece, whole);
      assertEquals(List.of(expected), joined(parts), "pieces of " + piece + ": " + json);
    }
  }

  private static void check(ToolSyntax syntax, String reply, Part... expected) {
    check(syntax, true, reply, expected);
  }

  private static Call call(String name, String arguments) {
    return new Call(name, arguments.replace('\'', '"'), null);
  }

  @Test
  void readsHermes() {
    ToolSyntax hermes = ToolSyntax.HERMES;
    Part f = call("f", "{'a':1}");
    String written = "<tool_call>\n{'name': 'f', 'arguments': {'a': 1}}\n</tool_call>";
    check(hermes, "Hello < there <tool", new Text("Hello < there <tool"));
    check(hermes, written, f);
    check(hermes, written.replace("1}", "0, 'a': 1}"), f);
    check(hermes, written + "\n" + written + "\n", f, f);
    check(hermes, "Let me see.\n" + written, new Text("Let me see.\n"), f);
    check(hermes, written + " Done.", f, new Text("Done."));
    check(hermes, "<tool_call>{'name':'f','arguments':{'a':1}}</tool_call>", f);
    check(hermes, "<tool_call>{'arguments':{'a':1},'name':'f'}</tool_call>", f);
    check(hermes, "<tool_call>{'name':'f'}</tool_call>", call("f", "{}"));
    check(hermes, "<tool_call>{'name':'f','arguments':null}</tool_call>", call("f", "{}"));
    check(hermes, "<tool_call>{'name':'f','parameters':{'a':1}}</tool_call>", f);
    check(
        hermes,
        "<tool_call>{'name':'f','arguments':'{\\'a\\':1}'}</tool_call>",
        call("f", "{'a':1}"));
    check(
        hermes,
        "<tool_call>{'name':'f','arguments':{'s':'</tool_call> } \\' é😀'}}</tool_call>x",
        call("f", "{'s':'</tool_call> } \\' é😀'}"),
        new Text("x"));
  }

  @Test
  void takesAHermesCallThatIsNotClosed() {
    Part f = call("f", "{'a':1}");
    String open = "<tool_call>{'name':'f','arguments':{'a':1}}";
    check(ToolSyntax.HERMES, open, f);
    check(ToolSyntax.HERMES, open + "\n</tool_", f);
    check(ToolSyntax.HERMES, open + "\n" + open + "</tool_call>", f, f);
  }

  @Test
  void tellsOfCallsThatCannotBeRead() {
    ToolSyntax hermes = ToolSyntax.HERMES;
    check(hermes, "<tool_call>f(1)</tool_call>", new Unreadable("f(1)"));
    check(hermes, "<tool_call>{'a':1}</tool_call>.", new Unreadable("{\"a\":1}"), new Text("."));
    check(hermes, "<tool_call>{'name':1}</tool_call>", new Unreadable("{\"name\":1}"));
    check(hermes, "<tool_call>{'name':'f g'}</tool_call>", new Unreadable("{\"name\":\"f g\"}"));
    check(hermes, "<tool_call>{name:1}</tool_call>", new Unreadable("{name:1}"));
    check(
        hermes,
        "<tool_call>{'name':'f','arguments':{'a':'}}</tool_call>"
            + "<tool_call>{'name':'g'}</tool_call>",
        new Unreadable("{\"name\":\"f\",\"arguments\":{\"a\":\"}}"),
        call("g", "{}"));
    check(hermes, "<tool_call>{'name':", new Unreadable("{\"name\":"));
    check(ToolSyntax.MISTRAL, "[TOOL_CALLS]f{}", new Unreadable("f{}"));
    check(
        ToolSyntax.MISTRAL,
        "[TOOL_CALLS][{'name': 'f', 'a",
        new Unreadable("{\"name\": \"f\", \"a"));
  }

  /** The limit on tokens came in the middle of it. */
  @Test
  void leavesOutACallThatWasCut() {
    check(ToolSyntax.HERMES, false, "Well, <tool_call>{'name':", new Text("Well, "));
    check(
        ToolSyntax.HERMES,
        false,
        "<tool_call>{'name':'f'}</tool_call><tool_call>{'na",
        call("f", "{}"));
    check(ToolSyntax.MISTRAL, false, "[TOOL_CALLS][{'name': 'f', 'argu");
    check(LLAMA, false, "{'name': 'f', 'parameters': {'a'");
    check(LLAMA, false, "{'name': 'Ann', 'a", new Text("{\"name\": \"Ann\", \"a"));
  }

  @Test
  void readsMistral() {
    ToolSyntax mistral = ToolSyntax.MISTRAL;
    Part f = new Call("f", "{\"a\":1}", "abcdefghi");
    String one = "{'name': 'f', 'arguments': {'a': 1}, 'id': 'abcdefghi'}";
    check(mistral, "[TOOL_CALLS][" + one + "]", f);
    check(mistral, "[TOOL_CALLS] [" + one + ", " + one + "] ", f, f);
    check(mistral, "[TOOL_CALLS]" + one, f);
    check(mistral, "[TOOL_CALLS][]");
    check(mistral, "[1, 2]", new Text("[1, 2]"));
    check(mistral, "Hm. [TOOL_CALLS][{'name':'f'}]", new Text("Hm. "), call("f", "{}"));
  }

  @Test
  void readsLlama() {
    Part f = call("f", "{'a':1}");
    String one = "{'name': 'f', 'parameters': {'a': 1}}";
    check(LLAMA, one, f);
    check(LLAMA, "\n" + one + "\n", f);
    check(LLAMA, "<|python_tag|>" + one, f);
    check(LLAMA, one + "; " + one, f, f);
    check(LLAMA, one + "\n" + one, f, f);
    check(LLAMA, "{'type': 'function', 'function': " + one + "}", f);
    check(LLAMA, "<|python_tag|>f.call(a=1)", new Unreadable("f.call(a=1)"));
    for (String text :
        List.of(
            "The tool is " + one,
            "{'answer': 42}",
            "{'name': 'Ann', 'age': 3}",
            "{'name': 'f'}",
            "{'name': 'f', 'parameters'",
            "{",
            "{}",
            "{ 'na",
            "<|py",
            "[1]",
            "<b>bold</b>")) {
      check(LLAMA, text, new Text(text.replace('\'', '"')));
    }
  }

  /** JSON that is no call is not held back to its end. */
  @Test
  void letsOtherJsonThrough() {
    ToolCallReader reader = LLAMA.newReader(PLAIN);
    assertEquals(List.of(), reader.accept("{\""));
    assertEquals(List.of(new Text("{\"answer\"")), reader.accept("answer\""));
    assertEquals(List.of(new Text(": ")), reader.accept(": "));
    ToolCallReader hermes = ToolSyntax.HERMES.newReader(PLAIN);
    assertEquals(List.of(new Text("a ")), hermes.accept("a <tool"));
    assertEquals(List.of(new Text("<tool box")), hermes.accept(" box"));
  }

  @Test
  void aControlTokenIsNoText() {
    String list = "[{\"name\": \"f\", \"arguments\": {}}]";
    ToolCallReader typed = ToolSyntax.MISTRAL.newReader(TEKKEN);
    assertEquals(
        List.of(new Text("[TOOL_CALLS]" + list)),
        joined(read(typed, "[TOOL_CALLS]" + list, 1, true)));

    ToolCallReader meant = ToolSyntax.MISTRAL.newReader(TEKKEN);
    int token = TEKKEN.specialToken("[TOOL_CALLS]").orElseThrow();
    assertEquals("[TOOL_CALLS]", meant.markerOf(token));
    assertTrue(meant.markerOf(token + 1) == null);
    assertEquals(List.of(), meant.acceptMarker("[TOOL_CALLS]"));
    assertEquals(List.of(new Call("f", "{}", null)), read(meant, list, 2, true));
  }

  @Test
  void isLinear() {
    String call = "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":\"" + "x".repeat(200_000);
    long start = System.nanoTime();
    assertEquals(
        List.of(new Call("f", "{\"a\":\"" + "x".repeat(200_000) + "\"}", null)),
        read(ToolSyntax.HERMES.newReader(PLAIN), call + "\"}}</tool_call>", 1, true));
    read(ToolSyntax.HERMES.newReader(PLAIN), "<tool_call>no " + "x".repeat(200_000), 1, true);
    assertTrue(System.nanoTime() - start < 5_000_000_000L);
  }
}
