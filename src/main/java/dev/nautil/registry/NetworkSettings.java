package dev.nautil.registry;

import dev.nautil.registry.RegistryException.Kind;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How registries are reached: what the environment says, and what a caller asks for.
 *
 * <ul>
 *   <li>{@code HTTPS_PROXY}, {@code HTTP_PROXY}, {@code ALL_PROXY}, {@code NO_PROXY}, where the
 *       JVM's own settings name no proxy
 *   <li>{@code NAUTIL_CA_FILE} or {@code SSL_CERT_FILE}: certificates in PEM that are trusted
 *       beside the JVM's
 *   <li>{@code NAUTIL_PLAIN_HTTP}: hosts, between commas, that are spoken to without TLS
 *   <li>{@code NAUTIL_MIRRORS}: {@code HOST=URL} between commas; several for a host are tried in
 *       their order, and then the host. Names are looked for under the URL's path and {@code /v2/},
 *       or under its path if that has {@code /v2/}
 *   <li>{@code NAUTIL_TIMEOUT}: for how many seconds a server may send next to nothing, 20 if it is
 *       not set; a proxy that looks for viruses first may take longer
 *   <li>{@code DOCKER_CONFIG}, {@code HF_TOKEN}, {@code HF_ENDPOINT}
 * </ul>
 *
 * @param environment variables by name
 * @param plainHttp whether no host needs TLS
 */
public record NetworkSettings(Map<String, String> environment, boolean plainHttp) {
  /** Long enough for a disk that has to wake up. */
  private static final int DEFAULT_TIMEOUT_SECONDS = 20;

  public NetworkSettings {
    environment = Map.copyOf(environment);
  }

  /** An environment variable; null if it is not set, or empty. */
  @Nullable String get(String name) {
    String value = environment.get(name);
    return value == null || value.isBlank() ? null : value.strip();
  }

  /**
   * How long a server may send next to nothing.
   *
   * @throws RegistryException if what the environment says is no such time
   */
  Duration patience() throws RegistryException {
    String seconds = get("NAUTIL_TIMEOUT");
    if (seconds == null) {
      return Duration.ofSeconds(DEFAULT_TIMEOUT_SECONDS);
    }
    if (!seconds.matches("0*[1-9]\\d{0,3}")) {
      throw unusable("NAUTIL_TIMEOUT", "'" + seconds + "' is no number of seconds from 1 to 9999");
    }
    return Duration.ofSeconds(Integer.parseInt(seconds));
  }

  /** The failure of whatever needs a setting that is wrong. */
  static RegistryException unusable(String name, String why) {
    return new RegistryException(Kind.OTHER, name + ": " + why);
  }

  /** Whether a host may be spoken to without TLS by the user's wish. */
  boolean isPlainHttp(String host) {
    return plainHttp
        || list("NAUTIL_PLAIN_HTTP").stream()
            .anyMatch(each -> withoutPort80(each).equalsIgnoreCase(withoutPort80(host)));
  }

  /** Some write it, though it is what HTTP has without it. */
  private static String withoutPort80(String host) {
    return host.replaceFirst(":80$", "");
  }

  /** The addresses that serve what a host has. */
  List<String> mirrors(String host) {
    return list("NAUTIL_MIRRORS").stream()
        .filter(each -> each.startsWith(host + "="))
        .map(each -> each.substring(host.length() + 1))
        .collect(Collectors.toList());
  }

  private Set<String> list(String name) {
    String value = get(name);
    return value == null
        ? Set.of()
        : Arrays.stream(value.split(","))
            .map(String::strip)
            .collect(Collectors.toCollection(LinkedHashSet::new));
  }
}
