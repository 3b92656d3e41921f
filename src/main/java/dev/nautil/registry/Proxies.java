package dev.nautil.registry;

import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The proxy for an address: the JVM's (its properties, or a ProxySelector that the application has
 * set), else the environment's. None for this machine itself.
 */
final class Proxies extends ProxySelector {
  private static final List<Proxy> DIRECT = List.of(Proxy.NO_PROXY);

  /** Of the JDK: ways to give a proxy credentials that it is not to use for tunnels. */
  static final String DISABLED_SCHEMES = "jdk.http.auth.tunneling.disabledSchemes";

  private final NetworkSettings settings;

  Proxies(NetworkSettings settings) {
    this.settings = settings;
  }

  @Override
  public List<Proxy> select(URI uri) {
    List<Proxy> ofJvm = ofJvm(uri);
    if (!ofJvm.isEmpty()) {
      return ofJvm;
    }
    try {
      URI proxy = ofEnvironment(uri);
      return proxy == null
          ? DIRECT
          : List.of(
              new Proxy(Proxy.Type.HTTP, new InetSocketAddress(proxy.getHost(), port(proxy))));
    } catch (RegistryException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private static int port(URI proxy) {
    return proxy.getPort() >= 0 ? proxy.getPort() : 80;
  }

  /** Those that the JVM is told of; empty if it is told of none for this address. */
  private static List<Proxy> ofJvm(URI uri) {
    ProxySelector selector = ProxySelector.getDefault();
    if (selector == null || Hosts.isLoopback(uri.getHost())) {
      return List.of();
    }
    List<Proxy> chosen = selector.select(uri);
    return chosen.stream().anyMatch(each -> each.type() == Proxy.Type.HTTP) ? chosen : List.of();
  }

  /**
   * The value of a Proxy-Authorization header; null where the environment has no credentials for
   * the proxy that is used.
   *
   * @throws RegistryException if the environment names what is no proxy
   */
  @Nullable String authorization(URI uri) throws RegistryException {
    URI proxy = ofJvm(uri).isEmpty() ? ofEnvironment(uri) : null;
    if (proxy == null || proxy.getRawUserInfo() == null) {
      return null;
    }
    String[] pair = proxy.getRawUserInfo().split(":", 2);
    return new Credential(decode(pair[0]), pair.length > 1 ? decode(pair[1]) : "").basic();
  }

  /** What to say after a host's name: which proxy is between. */
  String described(URI uri) {
    for (Proxy each : select(uri)) {
      if (each.address() instanceof InetSocketAddress address) {
        return " (through the proxy " + address.getHostString() + ":" + address.getPort() + ")";
      }
    }
    return "";
  }

  /** What to tell whom the proxy does not let through. */
  RegistryException refusal(URI uri) throws RegistryException {
    boolean isTunnel = uri.getScheme().equals("https");
    String set = variable(uri);
    String name = set != null ? set : isTunnel ? "HTTPS_PROXY" : "HTTP_PROXY";
    String why;
    if (authorization(uri) == null) {
      why = " wants credentials; write " + name + "=http://USER:PASSWORD@HOST:PORT";
    } else if (isTunnel && isBasicDisabled()) {
      why =
          " wants credentials, which Java does not send it for HTTPS unless it is started with"
              + " -D"
              + DISABLED_SCHEMES
              + "=";
    } else {
      why = " does not accept the credentials of " + name;
    }
    return new RegistryException(
        Kind.OTHER, Hosts.authority(uri) + described(uri) + " cannot be reached: the proxy" + why);
  }

  /** As the JDK's conf/net.properties has it, unless the property is set. */
  private static boolean isBasicDisabled() {
    String schemes = System.getProperty(DISABLED_SCHEMES, "Basic");
    return List.of(schemes.toLowerCase(Locale.ROOT).split("[\\s,]+")).contains("basic");
  }

  private static String decode(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }

  private @Nullable URI ofEnvironment(URI uri) throws RegistryException {
    if (Hosts.isLoopback(uri.getHost())) {
      return null;
    }
    String name = variable(uri);
    if (name == null || isExempt(uri)) {
      return null;
    }
    String value = Objects.requireNonNull(settings.get(name));
    try {
      URI proxy = new URI(value.contains("://") ? value : "http://" + value);
      if (!Hosts.isUsable(proxy) || !proxy.getScheme().equals("http")) {
        throw NetworkSettings.unusable(name, "it names no HTTP proxy; write http://HOST:PORT");
      }
      return proxy;
    } catch (URISyntaxException e) {
      // Without the value, which may have a password.
      throw NetworkSettings.unusable(name, "it is no address (" + e.getReason() + ")");
    }
  }

  /** The variable that names the proxy; null if none does. */
  private @Nullable String variable(URI uri) {
    String name = set(uri.getScheme() + "_proxy");
    return name != null ? name : set("all_proxy");
  }

  /** Which of a variable's two names is set; null if neither is. */
  private @Nullable String set(String lower) {
    String upper = lower.toUpperCase(Locale.ROOT);
    return settings.get(lower) != null ? lower : settings.get(upper) != null ? upper : null;
  }

  private boolean isExempt(URI uri) {
    String name = set("no_proxy");
    String list = name == null ? null : settings.get(name);
    String host = Hosts.withoutBrackets(uri.getHost()).toLowerCase(Locale.ROOT);
    int port = uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equals("https") ? 443 : 80;
    if (list != null) {
      for (String each : list.toLowerCase(Locale.ROOT).split("[\\s,]+")) {
        if (each.equals("*") || matches(each, host, port)) {
          return true;
        }
      }
    }
    return false;
  }

  /** A domain with all below it, an address, or a network such as 10.0.0.0/8; a port after it. */
  private static boolean matches(String entry, String host, int port) {
    String name = entry;
    int colon = entry.lastIndexOf(':');
    if (colon > 0 && (entry.indexOf(':') == colon || entry.charAt(colon - 1) == ']')) {
      if (!entry.substring(colon + 1).equals(String.valueOf(port))) {
        return false;
      }
      name = entry.substring(0, colon);
    }
    name = Hosts.withoutBrackets(name);
    int slash = name.indexOf('/');
    if (slash > 0) {
      return isInNetwork(host, name.substring(0, slash), name.substring(slash + 1));
    }
    String domain = name.replaceFirst("^\\*?\\.", "");
    return !domain.isEmpty() && (host.equals(domain) || host.endsWith("." + domain));
  }

  private static boolean isInNetwork(String host, String network, String length) {
    if (!Hosts.isAddress(host) || !Hosts.isAddress(network) || !length.matches("\\d{1,3}")) {
      return false;
    }
    try {
      byte[] a = InetAddress.getByName(host).getAddress();
      byte[] b = InetAddress.getByName(network).getAddress();
      int bits = Integer.parseInt(length);
      if (a.length != b.length || bits > 8 * a.length) {
        return false;
      }
      for (int i = 0; i < bits; i++) {
        if ((((a[i / 8] ^ b[i / 8]) >> (7 - i % 8)) & 1) != 0) {
          return false;
        }
      }
      return true;
    } catch (UnknownHostException e) {
      return false;
    }
  }

  @Override
  public void connectFailed(URI uri, SocketAddress address, IOException e) {
    // The request fails, and says so.
  }
}
