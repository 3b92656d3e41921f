package dev.nautil.cli;

import dev.nautil.OperationProfile;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/** What {@code --profile} prints. */
final class ProfileTable {
  private ProfileTable() {}

  /**
   * @param limits the fractions are of the greater of what the bytes and the multiply-adds take
   */
  static void print(PrintStream out, List<OperationProfile> profile, Work.Limits limits) {
    double all = profile.stream().mapToDouble(ProfileTable::seconds).sum();
    out.printf(
        Locale.ROOT,
        "%n%-18s%9s%8s%7s%9s%9s%8s%n",
        "operation",
        "calls",
        "ms",
        "time",
        "GB/s",
        "GMAC/s",
        "limit");
    for (OperationProfile operation : profile) {
      double seconds = seconds(operation);
      if (operation.calls() == 0) {
        continue;
      }
      out.printf(
          Locale.ROOT,
          "%-18s%9d%8.0f%5.0f %%%9.2f%9.1f%6.0f %%%n",
          operation.name(),
          operation.calls(),
          seconds * 1e3,
          100 * seconds / all,
          operation.bytes() / seconds / 1e9,
          operation.multiplyAdds() / seconds / 1e9,
          100 * limits.seconds(operation.bytes(), operation.multiplyAdds()) / seconds);
    }
    out.flush();
  }

  private static double seconds(OperationProfile operation) {
    return operation.time().toNanos() / 1e9;
  }
}
