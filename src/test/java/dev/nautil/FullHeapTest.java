package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A program that fills the heap beside a model's sessions. */
@Timeout(300)
class FullHeapTest {
  @TempDir Path folder;

  @Test
  void aHeapThatWasFullLeavesTheModelAsItWas() throws Exception {
    Path printed = folder.resolve("printed.txt");
    Process process =
        JavaProcess.of(
                List.of(
                    "-Xmx48m",
                    "-XX:+UseSerialGC",
                    Fills.class.getName(),
                    TestModels.path("tiny-Q8_0.gguf").toString()))
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile())
            .start();
    // Measured: 8 s.
    boolean ended = process.waitFor(240, TimeUnit.SECONDS);
    process.destroyForcibly();
    String output = Files.readString(printed);
    assertTrue(ended, "a caller waits without end: " + output);
    assertTrue(output.endsWith("as before\n"), output);
    assertEquals(0, process.exitValue(), output);
  }

  /** Has sessions talk while the heap is full, and then asks again what was asked before. */
  static final class Fills {
    private static final SessionOptions RAW =
        Session.options().raw().sampling(Sampling.greedy()).maxTokens(100);
    private static volatile boolean full = true;

    private Fills() {}

    public static void main(String[] args) throws InterruptedException {
      startWatch();
      try (Model model = Model.open(Path.of(args[0]), Model.options().contextSize(512))) {
        String before = model.newSession(RAW).send("abc").text();
        for (int round = 0; round < 5; round++) {
          full = true;
          List<Thread> callers = new ArrayList<>();
          for (int i = 0; i < 8; i++) {
            String prompt = "round " + round + " caller " + i;
            callers.add(new Thread(() -> talk(model, prompt)));
          }
          callers.forEach(Thread::start);
          fill();
          full = false;
          for (Thread caller : callers) {
            caller.join();
          }
        }
        String after = model.newSession(RAW).send("abc").text();
        System.out.println(after.equals(before) ? "as before" : "no longer as before");
      }
    }

    /** Prints where all threads are, if it lasts too long. */
    private static void startWatch() {
      Thread watch =
          new Thread(
              () -> {
                try {
                  Thread.sleep(180_000);
                } catch (InterruptedException e) {
                  return;
                }
                Thread.getAllStackTraces()
                    .forEach(
                        (thread, stack) -> System.out.println(thread + Arrays.toString(stack)));
                Runtime.getRuntime().halt(1);
              });
      watch.setDaemon(true);
      watch.start();
    }

    /** Whatever it throws: it must end. */
    private static void talk(Model model, String prompt) {
      while (full) {
        try {
          model.newSession(RAW).send(prompt);
        } catch (OutOfMemoryError | RuntimeException e) {
          // Then the next time.
        }
      }
    }

    /** Ever smaller pieces, until not even the smallest one fits, for a second. */
    private static void fill() throws InterruptedException {
      List<Object> pieces = new ArrayList<>(1 << 20);
      long end = System.nanoTime() + 1_000_000_000L;
      for (int size = 1 << 20; System.nanoTime() < end; size = Math.max(16, size / 2)) {
        try {
          while (System.nanoTime() < end) {
            pieces.add(new byte[size]);
          }
        } catch (OutOfMemoryError e) {
          // Smaller ones.
        }
      }
    }
  }
}
