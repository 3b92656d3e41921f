package dev.nautil.internal;

import java.util.Locale;

/** Numbers of bytes for people. */
public final class Sizes {
  private Sizes() {}

  /** Such as "7.1 GiB". */
  public static String brief(long bytes) {
    double mebibytes = bytes / 1048576.0;
    return mebibytes < 1024
        ? String.format(Locale.ROOT, "%.1f MiB", mebibytes)
        : String.format(Locale.ROOT, "%.2f GiB", mebibytes / 1024);
  }
}
