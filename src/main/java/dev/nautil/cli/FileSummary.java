package dev.nautil.cli;

import dev.nautil.MemoryEstimate;
import dev.nautil.StoredModel;
import dev.nautil.engine.ModelFile;
import dev.nautil.internal.FileInfo;
import dev.nautil.internal.NativeFile;
import dev.nautil.internal.Sizes;
import dev.nautil.internal.TensorInfo;
import dev.nautil.tokenizer.StringTable;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A GGUF file for people. */
final class FileSummary {
  private final PrintStream out;
  private final NativeFile file;
  private final List<TensorInfo> tensors;

  private FileSummary(PrintStream out, NativeFile file) {
    this.out = out;
    this.file = file;
    tensors = file.tensors();
  }

  static void print(Io io, Inspected inspected) throws IOException {
    FileSummary summary = new FileSummary(io.out(), inspected.file());
    if (inspected.values() != null) {
      summary.printValues(inspected.values());
      return;
    }
    if (inspected.model() != null) {
      summary.printModel(inspected.model());
    }
    summary.printHead();
    summary.printTypes();
    if (inspected.memory() != null) {
      summary.printMemory(inspected.memory());
    }
    summary.printMetadata();
  }

  private void printValues(TensorRows rows) throws IOException {
    rows.forEach(
        (values, from, to) -> {
          StringBuilder line = new StringBuilder();
          for (int i = from; i < to; i++) {
            line.append(i == from ? "" : " ").append(values[i]);
          }
          out.println(line);
        });
  }

  /** What came with the file. */
  private void printModel(StoredModel model) {
    row("model", String.join(", ", model.references()));
    row("id", model.id());
    row("created", model.created());
    for (String license : model.licenses()) {
      row(
          "licence",
          license
              .lines()
              .map(String::strip)
              .filter(s -> !s.isEmpty())
              .findFirst()
              .map(Printable::brief)
              .orElse(""));
    }
    if (model.chatTemplate() != null) {
      row("its template", Printable.brief(model.chatTemplate()));
    }
    if (model.contextSize() != null) {
      row("its context", tokens(model.contextSize()));
    }
    if (model.parametersJson() != null) {
      row("its sampling", Printable.brief(model.parametersJson().replaceAll("\\s+", " ")));
    }
    out.println();
  }

  private void printHead() {
    FileInfo info = file.info();
    row("name", ModelFile.name(file));
    row("architecture", ModelFile.architecture(file));
    row("parameters", count(ModelFile.parameters(file)));
    row("quantization", ModelFile.quantization(file));
    String parts = info.parts() > 1 ? ", in " + info.parts() + " files" : "";
    row("size", bytes(info.fileBytes()) + parts);
    row("context", tokens(get("context_length")));
    row("shape", shape());
    row("vocabulary", vocabulary());
    boolean template = file.get("tokenizer.chat_template") instanceof String;
    row("chat template", template ? "yes" : "no");
    row("GGUF version", String.valueOf(info.version()));
  }

  private @Nullable Object get(String key) {
    return file.get(ModelFile.architecture(file) + "." + key);
  }

  private static @Nullable String tokens(@Nullable Object number) {
    return number instanceof Number n ? thousands(n.longValue()) + " tokens" : null;
  }

  private @Nullable String shape() {
    List<String> parts = new ArrayList<>();
    addPart(parts, "block_count", "layers");
    addPart(parts, "embedding_length", "wide");
    addPart(parts, "feed_forward_length", "feed-forward");
    addPart(parts, "attention.head_count", "heads");
    addPart(parts, "attention.head_count_kv", "KV heads");
    return parts.isEmpty() ? null : String.join(", ", parts);
  }

  private void addPart(List<String> parts, String key, String unit) {
    if (get(key) instanceof Number n) {
      parts.add(n + " " + unit);
    }
  }

  private @Nullable String vocabulary() {
    if (!(file.get("tokenizer.ggml.tokens") instanceof StringTable tokens)) {
      return null;
    }
    Object model = file.get("tokenizer.ggml.model");
    Object pre = file.get("tokenizer.ggml.pre");
    String kind = (model == null ? "" : " " + model) + (pre == null ? "" : ", " + pre);
    return thousands(tokens.size()) + " tokens," + kind;
  }

  private void printTypes() {
    Map<String, long[]> types = new TreeMap<>();
    for (TensorInfo tensor : tensors) {
      long[] sums = types.computeIfAbsent(ModelFile.typeName(tensor.type()), name -> new long[2]);
      sums[0]++;
      sums[1] += tensor.bytes();
    }
    out.println();
    out.printf("%-10s%8s%14s%9s%n", "type", "tensors", "size", "share");
    types.entrySet().stream()
        .sorted((a, b) -> Long.compare(b.getValue()[1], a.getValue()[1]))
        .forEach(type -> printType(type.getKey(), type.getValue()));
  }

  private void printType(String name, long[] sums) {
    double share = 100.0 * sums[1] / Math.max(1, file.info().tensorBytes());
    out.printf(Locale.ROOT, "%-10s%8d%14s%7.1f %%%n", name, sums[0], Sizes.brief(sums[1]), share);
  }

  private void printMemory(MemoryEstimate memory) {
    out.println();
    printMemory(thousands(memory.contextSize()) + " tokens take", "size");
    printMemory("weights", Sizes.brief(memory.weightBytes()));
    printMemory("KV cache, " + memory.kvCacheType().label(), Sizes.brief(memory.kvCacheBytes()));
    printMemory("working memory", Sizes.brief(memory.workingBytes()));
    printMemory("in all", Sizes.brief(memory.totalBytes()));
    printMemory("this machine has", Sizes.brief(memory.physicalBytes()));
    printMemory("of it available", Sizes.brief(memory.availableBytes()));
    int largest = memory.largestContext();
    String would = largest > 0 ? "; " + thousands(largest) + " tokens would" : "";
    out.println(memory.fits() ? "It fits." : "It does not fit" + would + ".");
  }

  private void printMemory(String what, String size) {
    out.printf(Locale.ROOT, "%-26s%12s%n", what, size);
  }

  private void printMetadata() {
    Map<String, String> rows = new LinkedHashMap<>();
    file.keys().forEach(key -> rows.put(Printable.line(key), abbreviated(file.get(key))));
    int width = rows.keySet().stream().mapToInt(String::length).max().orElse(0);
    out.println();
    rows.forEach((key, value) -> out.println(key + " ".repeat(width - key.length() + 2) + value));
  }

  private void row(String name, @Nullable String value) {
    if (value != null) {
      out.println(name + " ".repeat(16 - name.length()) + Printable.line(value));
    }
  }

  private static String abbreviated(@Nullable Object value) {
    if (value instanceof StringTable strings) {
      return array(strings.size(), strings::string);
    }
    if (value instanceof List<?> list) {
      return array(list.size(), i -> abbreviated(list.get(i)));
    }
    if (value != null && value.getClass().isArray()) {
      return array(Array.getLength(value), i -> String.valueOf(Array.get(value, i)));
    }
    return Printable.brief(String.valueOf(value));
  }

  private interface Element {
    String at(int index);
  }

  private static String array(int length, Element element) {
    StringBuilder text = new StringBuilder(thousands(length)).append(" values [");
    for (int i = 0; i < length; i++) {
      String next = (i == 0 ? "" : ", ") + Printable.line(element.at(i));
      if (text.length() + next.length() > Printable.LONGEST) {
        return text.append(i == 0 ? "…]" : ", …]").toString();
      }
      text.append(next);
    }
    return text.append("]").toString();
  }

  private static String count(long n) {
    return n < 1_000_000_000
        ? String.format(Locale.ROOT, "%.1f M", n / 1e6)
        : String.format(Locale.ROOT, "%.2f B", n / 1e9);
  }

  private static String bytes(long n) {
    return Sizes.brief(n) + " (" + thousands(n) + " bytes)";
  }

  private static String thousands(long n) {
    return String.format(Locale.ROOT, "%,d", n);
  }
}
