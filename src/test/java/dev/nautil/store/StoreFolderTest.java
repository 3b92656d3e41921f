package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.nautil.ModelStore;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class StoreFolderTest {
  private static Path folder(Map<String, String> environment) {
    return ModelStore.open(environment).folder();
  }

  @Test
  void nautilHomeMovesIt() {
    assertEquals(Path.of("/models"), folder(Map.of("NAUTIL_HOME", "/models")));
    assertEquals(
        Path.of("").toAbsolutePath().resolve("here"), folder(Map.of("NAUTIL_HOME", "here")));
  }

  /** The XDG Base Directory Specification's. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void otherwiseItIsWhereThePlatformWantsIt() {
    Path home = Path.of(System.getProperty("user.home"), ".local", "share", "nautil");
    assertEquals(home, folder(Map.of()));
    assertEquals(home, folder(Map.of("NAUTIL_HOME", " ", "XDG_DATA_HOME", "")));
    assertEquals(home, folder(Map.of("XDG_DATA_HOME", "relative")));
    assertEquals(Path.of("/data/nautil"), folder(Map.of("XDG_DATA_HOME", "/data")));
  }
}
