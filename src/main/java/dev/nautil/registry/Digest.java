package dev.nautil.registry;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What content is known by: the hash of its bytes, as registries write it.
 *
 * @param algorithm {@code sha256} or {@code sha512}
 * @param hex in lower case
 */
public record Digest(String algorithm, String hex) {
  private static final Pattern PATTERN =
      Pattern.compile("(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128})");

  /** The digest that a text is; null if it is none. */
  public static @Nullable Digest parse(String text) {
    Matcher match = PATTERN.matcher(text);
    if (!match.matches()) {
      return null;
    }
    int group = match.group(1) != null ? 1 : 3;
    return new Digest(match.group(group), match.group(group + 1));
  }

  public static Digest sha256(byte[] content) {
    Digest none = new Digest("sha256", "");
    return none.with(none.newHash().digest(content));
  }

  /** The same algorithm's digest with other bytes. */
  public Digest with(byte[] hash) {
    return new Digest(algorithm, HexFormat.of().formatHex(hash));
  }

  /** Computes digests of this algorithm. */
  public MessageDigest newHash() {
    try {
      return MessageDigest.getInstance(algorithm.equals("sha256") ? "SHA-256" : "SHA-512");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java has no " + algorithm, e);
    }
  }

  /** Whether the content has this digest. */
  public boolean isOf(byte[] content) {
    return with(newHash().digest(content)).equals(this);
  }

  /** The first 12 digits, as lists show them. */
  public String brief() {
    return hex.substring(0, 12);
  }

  @Override
  public String toString() {
    return algorithm + ":" + hex;
  }
}
