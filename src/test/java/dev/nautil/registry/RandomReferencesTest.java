package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ModelReferenceException;
import dev.nautil.registry.ModelReference.HuggingFace;
import dev.nautil.registry.ModelReference.Registry;
import java.util.Locale;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** References made from the grammar, and what becomes of them by mistakes. */
class RandomReferencesTest {
  private static final int REFERENCES = 20_000;

  // The expressions that the OCI distribution specification 1.1 prints for <name> and <reference>,
  // and the image specification's for a digest, of its registered algorithms.
  private static final Pattern NAME =
      Pattern.compile("[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*");
  private static final Pattern TAG = Pattern.compile("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}");
  private static final Pattern DIGEST =
      Pattern.compile("(?=sha256:.{64}$|sha512:.{128}$)[a-z0-9]+:[a-f0-9]+");

  /** RFC 3986's, whose names here have labels of letters, digits and hyphens, as RFC 1123's do. */
  private static final Pattern HOST =
      Pattern.compile(
          "(\\[[0-9A-Fa-f:]+\\]|(?!-)[0-9A-Za-z-]+(?<!-)(\\.(?!-)[0-9A-Za-z-]+(?<!-))*)"
              + "(:0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]"
              + "|6553[0-5]))?");

  private static final String WORD = "abcdefghijklmnopqrstuvwxyz0123456789";
  private static final String MISTAKES = WORD + "AZ._-/:@[]~\\%?# \0\u00e9\u212a\ud83d\n";

  private final Random random = new Random(7);

  @Test
  void registries() {
    for (int i = 0; i < REFERENCES; i++) {
      String host = random.nextInt(4) == 0 ? null : host();
      String name = name();
      String tag = random.nextBoolean() ? tag() : null;
      String digest = random.nextInt(3) == 0 ? digest() : null;
      String text =
          (host == null ? "" : host + "/")
              + name
              + (tag == null ? "" : ":" + tag)
              + (digest == null ? "" : "@" + digest);
      if (ModelReference.parse(text) instanceof Registry reference) {
        boolean isBare = host == null && name.indexOf('/') < 0;
        assertEquals(
            new Registry(
                host == null ? "docker.io" : host.toLowerCase(Locale.ROOT),
                isBare ? "ai/" + name : name,
                tag == null && digest == null ? "latest" : tag,
                digest),
            reference,
            text);
        assertEquals(reference, ModelReference.parse(reference.toString()));
      } else {
        assertTrue(text.endsWith(".gguf") || text.matches("[0-9a-f]{12}"), text);
      }
    }
  }

  @Test
  void huggingFace() {
    for (int i = 0; i < REFERENCES; i++) {
      String org = word(WORD + "ABC_", 12);
      String repo = word(WORD + "ABC_", 12) + pick(".", "-", "_") + word(WORD + "ABC", 5);
      String quant = random.nextBoolean() ? "Q" + word(WORD, 3) + "_K" : null;
      String file = random.nextInt(3) == 0 ? word(WORD, 8) + "/" + word(WORD, 8) + ".gguf" : null;
      String choice = file != null ? pick("/", ":") + file : quant != null ? ":" + quant : "";
      String text = pick("hf.co/", "huggingface.co/") + org + "/" + repo + choice;
      HuggingFace expected =
          new HuggingFace(
              org,
              repo,
              file == null && quant != null ? quant.toUpperCase(Locale.ROOT) : null,
              file);
      assertEquals(expected, ModelReference.parse(text), text);
      assertEquals(expected, ModelReference.parse(expected.toString()));
    }
  }

  /** The specification's expressions tell which are references still, and into what parts. */
  @Test
  void mistakes() {
    int references = 0;
    int refusals = 0;
    for (int i = 0; i < 10 * REFERENCES; i++) {
      String text = mistaken();
      try {
        ModelReference reference = ModelReference.parse(text);
        assertEquals(reference, ModelReference.parse(reference.toString()), text);
        if (reference instanceof Registry registry) {
          references++;
          assertEquals(expected(text), registry, text);
        }
      } catch (ModelReferenceException e) {
        refusals++;
        assertEquals(text, e.reference());
        if (!text.matches("(?is)file:.*|(hf|huggingface)\\.co/.*|sha256:.*|.*\\[.*")) {
          assertEquals(null, expected(text), text);
        }
      }
    }
    assertTrue(references > REFERENCES && refusals > REFERENCES, references + ", " + refusals);
  }

  /** By the published expressions; null for no reference. */
  private static @Nullable Registry expected(String text) {
    Matcher parts =
        Pattern.compile(
                "(?s)(?:([^/@]*[.:][^/@]*|(?i:localhost))/)?([^:@]*)(?::([^@]*))?(?:@(.*))?")
            .matcher(text);
    if (!parts.matches()) {
      return null;
    }
    String host = parts.group(1) == null ? "docker.io" : parts.group(1).toLowerCase(Locale.ROOT);
    host =
        host.equals("index.docker.io")
            ? "docker.io"
            : host.replaceFirst("^([^\\[:]+|\\[.*\\]):0+", "$1:");
    boolean isBare = host.equals("docker.io") && parts.group(2).indexOf('/') < 0;
    String name = isBare ? "ai/" + parts.group(2) : parts.group(2);
    String tag = parts.group(3);
    String digest = parts.group(4);
    boolean isValid =
        (parts.group(1) == null || HOST.matcher(parts.group(1)).matches())
            && NAME.matcher(name).matches()
            && name.length() <= 255
            && (tag == null || TAG.matcher(tag).matches())
            && (digest == null || DIGEST.matcher(digest).matches());
    String version = tag == null && digest == null ? "latest" : tag;
    return isValid ? new Registry(host, name, version, digest) : null;
  }

  private String mistaken() {
    StringBuilder text = new StringBuilder();
    switch (random.nextInt(8)) {
      case 0 -> text.append(pick("hf.co/", "huggingface.co/")).append(name());
      case 1 -> text.append(pick("file:", "./", "sha256:", "file:///")).append(name());
      case 2 -> text.append(word(MISTAKES, 12));
      case 3, 4 -> text.append(host()).append('/').append(name());
      case 5 -> text.append(host()).append('/').append(name()).append('@').append(digest());
      default -> text.append(name()).append(':').append(tag());
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      int at = random.nextInt(text.length() + 1);
      char mistake = MISTAKES.charAt(random.nextInt(MISTAKES.length()));
      switch (random.nextInt(4)) {
        case 0 -> text.insert(at, mistake);
        case 1 -> text.setLength(at);
        case 2 -> text.replace(Math.max(at - 1, 0), at, String.valueOf(mistake));
        default -> text.delete(Math.max(at - 1, 0), at);
      }
    }
    return text.toString();
  }

  private String host() {
    String host =
        switch (random.nextInt(5)) {
          case 0 -> "localhost";
          case 1 -> "[" + pick("::1", "2001:db8::", "FC00:1:2:3:4:5:6:7") + "]";
          case 2 -> "10.0.0." + random.nextInt(256);
          default -> word(WORD + "AB", 8) + pick(".", "-x.", ".x.") + word(WORD + "AB", 5);
        };
    return random.nextBoolean() ? host : host + ":" + (1 + random.nextInt(65535));
  }

  private String name() {
    StringBuilder name = new StringBuilder(word(WORD, 8));
    for (int i = random.nextInt(4); i > 0; i--) {
      name.append(pick("/", ".", "_", "__", "-", "---")).append(word(WORD, 8));
    }
    String text = name.toString();
    // A first part with a dot would be a host.
    return text.matches("[^/]*\\.[^/]*/.*") ? text.replace('.', '_') : text;
  }

  private String tag() {
    return word(WORD + "ABC_", 1) + (random.nextBoolean() ? word(WORD + "ABC_.-", 127) : "");
  }

  private String digest() {
    return random.nextBoolean() ? "sha256:" + hex(64) : "sha512:" + hex(128);
  }

  private String hex(int length) {
    return letters("0123456789abcdef", length);
  }

  private String word(String letters, int maxLength) {
    return letters(letters, 1 + random.nextInt(maxLength));
  }

  private String letters(String letters, int length) {
    StringBuilder word = new StringBuilder();
    for (int i = 0; i < length; i++) {
      word.append(letters.charAt(random.nextInt(letters.length())));
    }
    return word.toString();
  }

  private String pick(String... choices) {
    return choices[random.nextInt(choices.length)];
  }
}
