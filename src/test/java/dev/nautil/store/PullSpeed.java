package dev.nautil.store;

import dev.nautil.ModelStore;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * How fast a pull over loopback is beside {@code curl | sha256sum}, which keeps nothing: the two in
 * turn, and the ratio of their medians. Run it by {@code PullSpeedTest}, or with more by {@code mvn
 * test -Dtest=PullSpeedTest -Dnautil.test.pullMegabytes=1024 -Dnautil.test.pullRounds=7}.
 */
final class PullSpeed {
  private final Path folder;
  private final Origin origin;
  private final List<Double> ours = new ArrayList<>();
  private final List<Double> theirs = new ArrayList<>();

  PullSpeed(Path folder, Origin origin) {
    this.folder = folder;
    this.origin = origin;
  }

  /**
   * Measures.
   *
   * @return our bytes a second over theirs
   */
  double ratio(int megabytes, int rounds) throws IOException, InterruptedException {
    Path file = folder.resolve("blob");
    byte[] part = new byte[1 << 20];
    Random random = new Random(4);
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int i = 0; i < megabytes; i++) {
        random.nextBytes(part);
        out.write(part);
      }
    }
    Origin.Source model = origin.push("large", ModelArtifact.docker(file));
    Files.delete(file);
    // Past the proxy, which is no part of it.
    String host = origin.registry().host();
    String url = "http://" + host + "/v2/large/blobs/" + model.weights();
    for (int i = 0; i <= rounds; i++) {
      long start = System.nanoTime();
      curl(url, model.weights().substring(7));
      long middle = System.nanoTime();
      pull(host + "/large:latest");
      if (i > 0) {
        // The first warms both up.
        theirs.add(megabytes * 1e9 / (middle - start));
        ours.add(megabytes * 1e9 / (System.nanoTime() - middle));
      }
    }
    double ratio = median(ours) / median(theirs);
    System.out.printf(
        Locale.ROOT,
        "pull %.0f MiB/s, curl | sha256sum %.0f MiB/s: %.2f (of %d)%n",
        median(ours),
        median(theirs),
        ratio,
        rounds);
    return ratio;
  }

  private static void curl(String url, String hash) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder("bash", "-c", "curl -q -sS --noproxy '*' " + url + " | sha256sum")
            .start();
    String said = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0 || !said.startsWith(hash)) {
      throw new AssertionError("curl: " + said);
    }
  }

  private void pull(String reference) throws IOException {
    Map<String, String> environment = new HashMap<>(origin.environment(folder.resolve("home")));
    environment.put("NAUTIL_PLAIN_HTTP", origin.registry().host());
    ModelStore store = ModelStore.open(environment);
    store.pull(reference);
    store.remove(reference);
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }
}
