package dev.nautil.store;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** Where a platform wants what a program keeps for its user. */
public final class UserFolder {
  private UserFolder() {}

  /**
   * Nautil's.
   *
   * @param base where neither macOS nor Windows says: below the user's home if it is relative
   */
  public static Path of(Map<String, String> environment, Path base) {
    String home = System.getProperty("user.home");
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    if (system.startsWith("mac")) {
      return Path.of(home, "Library", "Application Support", "nautil");
    }
    if (system.startsWith("windows")) {
      String local = environment.getOrDefault("LOCALAPPDATA", "");
      return local.isEmpty() ? Path.of(home, "nautil") : Path.of(local, "nautil");
    }
    return Path.of(home).resolve(base).resolve("nautil");
  }
}
