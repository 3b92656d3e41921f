package dev.nautil.registry;

import dev.nautil.ModelReferenceException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What names a model. The text of a reference is its canonical form, which parses to an equal one.
 */
public sealed interface ModelReference {
  /**
   * The reference that a text is. A function of the text alone: a caller who takes a bare name such
   * as {@code models/nemo} for a file where there is one asks for the file first, and makes a
   * {@link File} of it.
   *
   * <ul>
   *   <li>{@code ./x}, {@code ../x}, {@code /x}, {@code ~/x}, {@code C:\x}, whatever has a
   *       backslash or ends in {@code .gguf}, and {@code file:} URIs: a {@link File}
   *   <li>{@code hf.co/ORG/REPO}, then {@code :QUANT}, {@code :FILE.gguf}, {@code /FILE.gguf} or
   *       nothing: a {@link HuggingFace} repository
   *   <li>12 or 64 hexadecimal digits, after {@code sha256:} or not: an {@link Id}
   *   <li>{@code [HOST[:PORT]/]NAME[:TAG][@DIGEST]}: a {@link Registry}'s model
   * </ul>
   *
   * @throws ModelReferenceException if it is none
   */
  static ModelReference parse(String text) {
    return new ReferenceParser(text).parse();
  }

  /**
   * The file that a text names: one that is there, whatever the text looks like, or one of a text
   * that can be nothing else. Null if it names something else.
   *
   * @throws ModelReferenceException if it names nothing
   * @throws InvalidPathException if it can only be a path, and this system has no such paths
   */
  static @Nullable Path fileOf(String text) {
    try {
      Path path = Path.of(text);
      if (!text.isEmpty() && Files.exists(path)) {
        return path;
      }
    } catch (InvalidPathException e) {
      // A reference, or told by the parser.
    }
    return parse(text) instanceof File file ? file.toPath() : null;
  }

  /**
   * A file, or a folder.
   *
   * @param path as it was written, after {@code ./} if it could be taken for another reference; a
   *     leading {@code ~} is not expanded
   */
  record File(String path) implements ModelReference {
    private static final Pattern EXPLICIT = Pattern.compile("[./~\\\\]|[A-Za-z]:[/\\\\]");

    public File {
      path = isExplicit(path) ? path : "./" + path;
    }

    /** Whether a text begins as only paths do. */
    static boolean isExplicit(String text) {
      return EXPLICIT.matcher(text).lookingAt();
    }

    /**
     * The path, from the user's home folder for a leading {@code ~/}.
     *
     * @throws java.nio.file.InvalidPathException if this system has no such paths
     */
    public Path toPath() {
      boolean isInHome = path.equals("~") || path.startsWith("~/");
      return isInHome ? Path.of(System.getProperty("user.home"), path.substring(1)) : Path.of(path);
    }

    @Override
    public String toString() {
      return path;
    }
  }

  /**
   * A model of the local store.
   *
   * @param hex the SHA-256 of its manifest or its first 12 digits, in lower case
   */
  record Id(String hex) implements ModelReference {
    @Override
    public String toString() {
      return "sha256:" + hex;
    }
  }

  /**
   * A model of Hugging Face: those files of a repository that {@linkplain #matches match}.
   *
   * @param quant in upper case; null where a file is named, and for {@link #DEFAULT_QUANT} or, if
   *     the repository lacks it, whatever it has
   * @param file the path in the repository, of a split model that of the first part; null if the
   *     quantisation decides
   */
  record HuggingFace(String org, String repo, @Nullable String quant, @Nullable String file)
      implements ModelReference {
    public static final String DEFAULT_QUANT = "Q4_K_M";

    /** The names that llama.cpp gives to the parts of a split model. */
    static final Pattern PART = Pattern.compile("(.*-)(\\d{5})(-of-(\\d{5})\\.gguf)");

    /** Whether a path in the repository is this model's file, or a part of it. */
    public boolean matches(String path) {
      if (file != null) {
        return firstPart(path).equals(file);
      }
      String wanted = Pattern.quote(quant == null ? DEFAULT_QUANT : quant);
      // No _ after it, or Q4_K would be Q4_K_M too.
      return Pattern.compile(
              "(?:^|[-._/])" + wanted + "(?=[-./]).*\\.gguf$", Pattern.CASE_INSENSITIVE)
          .matcher(path)
          .find();
    }

    /** The path of a split model's first part, if this is one of a part; else the path itself. */
    static String firstPart(String path) {
      Matcher part = PART.matcher(path);
      return part.matches() ? part.group(1) + "00001" + part.group(3) : path;
    }

    @Override
    public String toString() {
      String repository = "hf.co/" + org + "/" + repo;
      return file != null
          ? repository + "/" + file
          : quant != null ? repository + ":" + quant : repository;
    }
  }

  /**
   * A model of a registry.
   *
   * @param host in lower case, with the port if one was given
   * @param tag null only beside a digest
   */
  record Registry(String host, String name, @Nullable String tag, @Nullable String digest)
      implements ModelReference {
    /** What the manifest is asked for by: the digest if there is one, whatever the tag. */
    public String version() {
      return digest != null ? digest : Objects.requireNonNull(tag);
    }

    @Override
    public String toString() {
      return host
          + "/"
          + name
          + (tag == null ? "" : ":" + tag)
          + (digest == null ? "" : "@" + digest);
    }
  }
}
