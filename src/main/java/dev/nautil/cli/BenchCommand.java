package dev.nautil.cli;

import dev.nautil.KvCacheType;
import dev.nautil.cli.Bench.Plan;
import dev.nautil.cli.Bench.Row;
import dev.nautil.engine.LoadedModel;
import dev.nautil.engine.ModelFile;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.Native;
import dev.nautil.internal.NativeFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code nautil bench}. */
@Command(
    name = "bench",
    description = {
      "Measures how fast a model reads prompts (prefill) and generates (decode), and against what"
          + " this machine could do, measured in the same run: its read bandwidth and its peak of"
          + " int8 multiply-adds.",
      ""
    },
    footer = {
      "",
      "GB/s: the weights once for each pass over them (512 tokens of a prompt, or one of each"
          + " sequence), and once what the KV cache held before each pass. Limit: the tokens/s at"
          + " which either those bytes take all of the bandwidth, or the matrix products"
          + " (attention not counted) all of the multiply-adds, whichever is less. A model that"
          + " fits the CPU's caches is read faster than that bandwidth, and can be above 100 %%."
    },
    sortOptions = false)
final class BenchCommand implements Callable<Integer> {
  private static final String ABOVE_LIMIT =
      "Above 100 %: weights that fit the CPU's caches are read from them, faster than from memory.";

  private final Io io;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "A GGUF file, a reference or an id.")
  private String model;

  @Option(
      names = {"-p", "--prompt-tokens"},
      paramLabel = "N",
      defaultValue = "256",
      description = "Tokens of a prompt; 0: no prefill; ${DEFAULT-VALUE}.")
  private int prompt;

  @Option(
      names = {"-n", "--n-predict"},
      paramLabel = "N",
      defaultValue = "16",
      description = "Tokens generated in each sequence; 0: no decode; ${DEFAULT-VALUE}.")
  private int generate;

  @Option(
      names = {"-b", "--batch"},
      paramLabel = "B",
      split = ",",
      defaultValue = "1",
      description = "Numbers of sequences that are decoded together; ${DEFAULT-VALUE}.")
  private List<Integer> batches;

  @Option(
      names = {"-d", "--depth"},
      paramLabel = "D",
      split = ",",
      defaultValue = "0",
      description = "Tokens in the context before a test begins; ${DEFAULT-VALUE}.")
  private List<Integer> depths;

  @Option(
      names = "--own-context",
      description =
          "Sequences hold the tokens before a test each on their own; else they share them, and"
              + " shared bytes are counted once.")
  private boolean ownContext;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      defaultValue = "3",
      description = "Times that each test is run; the median is told; ${DEFAULT-VALUE}.")
  private int repetitions;

  @Mixin private ThreadOptions threads;

  @Mixin private KvTypeOption kvType;

  @Mixin private OvercommitOption overcommit;

  @Option(
      names = "--json",
      description = {
        "Prints {\"rows\": [{\"test\", \"tokens\", \"batch\", \"depth\", \"tok_per_s\","
            + " \"gb_per_s\", \"limit_fraction\"}], \"open_ms\", \"anonymous_bytes\", \"kv_bytes\","
            + " …}; the bytes are of the test that took the most beside the KV cache."
      })
  private boolean json;

  @Option(
      names = "--profile",
      description =
          "Prints also where the time went, by operation of the model, and each one's fraction of"
              + " the limit; what fills the context before a test is counted too.")
  private boolean profile;

  @Option(
      names = {"-v", "--verbose"},
      description = "Tells also how long the model took to open, and the memory taken.")
  private boolean verbose;

  @Mixin private StandardOptions standard;

  BenchCommand(Io io) {
    this.io = io;
  }

  /** What all rows have in common. */
  record Head(
      String model,
      String quantization,
      String instructionSet,
      KvCacheType kvType,
      int threads,
      double openMillis,
      Work.Limits limits) {}

  @Override
  public Integer call() throws IOException {
    check();
    Path path = ModelArgument.resolve(io, model).path();
    ContextParams any =
        new ContextParams(0, 1, 0, false, overcommit.isAllowed(), kvType.type(), true);
    long start = System.nanoTime();
    try (LoadedModel loaded = LoadedModel.open(path, false, threads.count(), any, null, null)) {
      checkContext(loaded.model().info().contextLength());
      // A context too, so that it is all that must happen before the first token.
      loaded.newContext(any).close();
      double openMillis = (System.nanoTime() - start) / 1e6;
      readAll(loaded.file());
      Head head = head(loaded, kvType.type(), openMillis);
      Plan plan = new Plan(prompt, generate, batches, depths, repetitions, !ownContext);
      ContextParams params = Bench.contextParams(plan, kvType.type(), overcommit.isAllowed());
      try (Bench bench = new Bench(loaded, plan, params, head.limits)) {
        List<Row> rows = run(bench, plan, head);
        if (json) {
          BenchJson.print(io, head, rows, bench.memory());
        } else if (verbose) {
          tell(head, bench.memory());
        }
        if (profile) {
          ProfileTable.print(json ? io.err() : io.out(), bench.profile(), head.limits);
        }
      }
    }
    return 0;
  }

  private List<Row> run(Bench bench, Plan plan, Head head) {
    List<Row> rows = new ArrayList<>();
    if (!json) {
      printHead(head);
    }
    try (ProgressBar bar = new ProgressBar(io, "measuring")) {
      bar.update(0, plan.tests());
      bench.run(
          row -> {
            rows.add(row);
            if (!json) {
              bar.hide();
              print(row);
            }
            bar.update(rows.size(), plan.tests());
          });
    }
    if (!json) {
      io.out().print(note(rows));
    }
    return rows;
  }

  private static Head head(LoadedModel loaded, KvCacheType kvType, double openMillis) {
    return new Head(
        ModelFile.name(loaded.file()),
        ModelFile.quantization(loaded.file()),
        Native.isa(),
        kvType,
        loaded.pool().threads(),
        openMillis,
        Work.Limits.measure(loaded.pool()));
  }

  /** So that no test waits for the disk. */
  private void readAll(NativeFile file) {
    long total = file.info().fileBytes();
    try (ProgressBar bar = new ProgressBar(io, "reading the model")) {
      for (long done = 0; done < total; done += 256 << 20) {
        bar.update(done, total);
        file.touch(done, 256 << 20);
      }
    }
  }

  private void printHead(Head head) {
    io.out()
        .printf(
            Locale.ROOT,
            "%s %s, %d threads, %s, KV cache %s; %.1f GB/s, %.0f G multiply-adds/s%n%n%-9s%7s%7s%8s%11s%9s%8s%n",
            head.model,
            head.quantization,
            head.threads,
            head.instructionSet,
            head.kvType.label(),
            head.limits.bytesPerSecond() / 1e9,
            head.limits.multiplyAddsPerSecond() / 1e9,
            "test",
            "tokens",
            "batch",
            "depth",
            "tokens/s",
            "GB/s",
            "limit");
    io.out().flush();
  }

  private void print(Row row) {
    io.out()
        .printf(
            Locale.ROOT,
            "%-9s%7d%7d%8d%11.2f%9.2f%6.0f %%%n",
            row.test(),
            row.tokens(),
            row.batch(),
            row.depth(),
            row.tokensPerSecond(),
            row.gigabytesPerSecond(),
            100 * row.limitFraction());
    io.out().flush();
  }

  /** What rows above the limit need said of them; empty if there is none. */
  static String note(List<Row> rows) {
    boolean above = rows.stream().anyMatch(row -> row.limitFraction() > 1);
    return above ? String.format("%n%s%n", ABOVE_LIMIT) : "";
  }

  private void tell(Head head, Bench.Memory memory) {
    io.out()
        .printf(
            Locale.ROOT,
            "%nopened in %.0f ms; %.1f MiB of memory beside %.1f MiB of KV cache%n",
            head.openMillis,
            (memory.anonymous() - memory.kv()) / 1048576.0,
            memory.kv() / 1048576.0);
  }

  private void check() {
    require(prompt >= 0 && generate >= 0, "-p and -n must be 0 or more");
    require(prompt + generate > 0, "-p and -n are both 0: there is nothing to measure");
    require(batches.stream().allMatch(b -> b >= 1 && b <= 1024), "-b takes numbers from 1 to 1024");
    require(depths.stream().allMatch(d -> d >= 0), "-d takes numbers from 0 on");
    require(repetitions >= 1, "-r must be 1 or more");
  }

  private void checkContext(int trained) {
    int depth = Collections.max(depths);
    int own = Math.max(prompt, generate);
    if ((long) depth + own > trained) {
      throw new Failure(
          model
              + ": "
              + depth
              + " tokens (-d) and a test's "
              + own
              + " are more than the model's context of "
              + trained);
    }
  }

  private void require(boolean holds, String message) {
    if (!holds) {
      throw new ParameterException(spec.commandLine(), message);
    }
  }
}
